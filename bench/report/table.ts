// Tables of texts, for a terminal and for Markdown.

export interface Table {
  readonly head: readonly string[];
  /** Columns that are numbers stand at the right. */
  readonly right: readonly boolean[];
  readonly body: readonly (readonly string[])[];
}

export interface Column<T> {
  readonly head: string;
  readonly right?: boolean;
  readonly cell: (x: T) => string;
}

export const tableOf = <T>(columns: readonly Column<T>[], rows: readonly T[]): Table => ({
  head: columns.map((c) => c.head),
  right: columns.map((c) => c.right ?? false),
  body: rows.map((x) => columns.map((c) => c.cell(x))),
});

export const plainTable = ({ head, right, body }: Table): string => {
  const widths = head.map((h, i) => Math.max(h.length, ...body.map((r) => r[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((c, i) => (right[i] ? c.padStart(widths[i]!) : c.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [head, ...body].map(line).join('\n');
};

export const markdownTable = ({ head, right, body }: Table): string => {
  const line = (cells: readonly string[]): string => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(right.map((r) => (r ? '---:' : '---'))), ...body.map(line)].join('\n');
};
