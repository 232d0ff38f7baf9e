export const printJs = (_code: unknown): string => { throw new Error('the JavaScript printer is being written'); };
