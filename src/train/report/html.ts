// Text inside HTML and SVG.

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text with nothing in it that a browser would read as markup. */
export const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (c) => entities[c]!);
