// Whether files and the environment of a process are there: not in a browser.

export const inNode = (): boolean => typeof process !== 'undefined' && Boolean(process.versions?.node);
