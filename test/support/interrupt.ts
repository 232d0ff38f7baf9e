// Loaded before a command: Ctrl-C once, as soon as standard error says what DUALTOKEN_TEST_INTERRUPT holds.
const at = process.env.DUALTOKEN_TEST_INTERRUPT ?? '';
const write = process.stderr.write.bind(process.stderr);
let done = false;
process.stderr.write = (text: string | Uint8Array, ...rest: never[]): boolean => {
  if (!done && at !== '' && String(text).includes(at)) {
    done = true;
    setImmediate(() => process.kill(process.pid, 'SIGINT'));
  }
  return write(text, ...rest);
};
