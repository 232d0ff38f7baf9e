// Ctrl-C, for commands that end in order.

/** A flag that Ctrl-C sets, after calling `onFirst`; a second one ends the process at once. */
export const interruption = (onFirst: () => void): { readonly asked: () => boolean; readonly release: () => void } => {
  let asked = false;
  const onSignal = (): void => {
    if (asked) process.exit(130);
    asked = true;
    onFirst();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    asked: () => asked,
    release: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
};
