// Ctrl-C, and a terminal that is closed, for commands that end in order.

/** A flag that Ctrl-C sets, after calling `onFirst`; a second one ends the process at once. */
export const interruption = (onFirst: () => void): { readonly asked: () => boolean; readonly release: () => void } => {
  let asked = false;
  const onSignal = (): void => {
    if (asked) process.exit(130);
    asked = true;
    onFirst();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    asked: () => asked,
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
};
