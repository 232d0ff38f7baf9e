// A program that is run once: its temporaries are gone afterwards.

export const once = async <F extends { readonly free: () => Promise<void> }, R>(
  program: F,
  use: (program: F) => Promise<R>,
): Promise<R> => {
  try {
    return await use(program);
  } finally {
    await program.free();
  }
};
