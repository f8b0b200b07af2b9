/** What a column of a table is called, and what it says of a row. */
export type Column<Row> = readonly [
  heading: string,
  cell: (row: Row) => string,
  pad?: 'padStart' | 'padEnd',
];

/** Lines of a table, its headings first; each column as wide as its longest cell. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  if (rows.length === 0) return ['  none'];
  const lines = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, cell]) => cell(row))),
  ];
  const widths = columns.map((_, at) => Math.max(...lines.map((cells) => cells[at]!.length)));
  return lines.map((cells) =>
    `  ${cells.map((cell, at) => cell[columns[at]![2] ?? 'padEnd'](widths[at]!)).join('  ')}`.trimEnd(),
  );
}
