import { formatCount } from '@tutti/telemetry';
import { type Column, table } from '../output/table.js';

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
export const stageTable = (stages: readonly Stage[]): string[] => table(stages, COLUMNS);

const COLUMNS: readonly Column<Stage>[] = [
  ['stage', ({ stage }) => stage],
  ['stored', ({ stored }) => formatCount(stored), 'padStart'],
  ['wire bytes a step', ({ wireBytesPerStep }) => formatCount(wireBytesPerStep), 'padStart'],
  ['bytes on disk', ({ bytes }) => formatCount(bytes), 'padStart'],
  ['accuracy', ({ accuracy }) => percentage(accuracy), 'padStart'],
  ['digest', ({ digest }) => digest?.slice(0, 12) ?? ''],
];
