import { formatCount, formatDuration, formatLoss, formatMetric } from '@tutti/telemetry/internal';
import type { View } from '../view.js';

export const orDash = (value: number | null | undefined, format: (value: number) => string) =>
  value === null || value === undefined ? '–' : format(value);

export const lossText = (loss: number | null | undefined) => orDash(loss, formatLoss);

export const metricText = (name: string, value: number | null | undefined) =>
  orDash(value, (known) => formatMetric(name, known));

export const counted = (count: number, noun: string) =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;

/** "14:03:07", in the reader's time zone. */
export const clockTime = (at: number) => new Date(at).toLocaleTimeString('en-GB');

/** How long it ran, or runs. */
export function elapsedText({ startedAt, endedAt }: View, now: number): string {
  return startedAt === null ? '–' : formatDuration((endedAt ?? now) - startedAt);
}

/** "meanAbsoluteError" -> "mean absolute error" */
export const nameText = (name: string) =>
  name
    .replace(/([a-z])([A-Z])/g, (_, before, after) => `${before} ${after.toLowerCase()}`)
    .replaceAll('_', ' ');

/** 1 / 8.03 for readers. */
export const ratioText = (elements: number, own: number) => {
  const ratio = elements / own;
  return ratio < 10 ? String(Math.round(ratio * 10) / 10) : formatCount(ratio);
};
