// The package's version, as package.json has it.

/** The one that `dualtoken --version` prints. */
export const version = '0.1.0';
