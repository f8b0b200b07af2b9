/** What one stage of the compression has reached. */
export interface Stage {
  readonly stage: string;
  /** Values that the servers hold. */
  readonly stored: number;
  /** For one worker: each stored value comes, and its gradient goes. */
  readonly wireBytesPerStep: number;
  /** The size of the .tutti file of its weights. */
  readonly bytes: number;
  readonly accuracy: number;
  /** The digest of the stored values, where a run trained them. */
  readonly digest?: string;
}

export const percentage = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** One line for each stage, under a line of headings. */
export function stageTable(stages: readonly Stage[]): string {
  const whole = (value: number) => value.toLocaleString('en-US');
  const rows = [
    ['stage', 'stored', 'wire bytes a step', 'bytes on disk', 'accuracy', 'digest'],
    ...stages.map(({ stage, stored, wireBytesPerStep, bytes, accuracy, digest }) => [
      stage,
      whole(stored),
      whole(wireBytesPerStep),
      whole(bytes),
      percentage(accuracy),
      digest?.slice(0, 12) ?? '',
    ]),
  ];
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) =>
          at === 0 || at === 5 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
