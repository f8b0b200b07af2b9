import type { SharingReport, WeightReport } from '@tutti/parameters';
import { formatBytes, formatCount } from '@tutti/telemetry';
import { type Column, table } from './table.js';

/** What the weights of a program are made of, as a table for a reader, with totals. */
export function sharingText(report: SharingReport): string {
  const { elements, stored, wireBytesPerStep, optimizerBytes, constantBytes } = report;
  return [
    ...table(report.weights, COLUMNS),
    '',
    `  ${formatCount(elements)} weights read ${formatCount(stored)} stored values${ratioOf(elements, stored)}`,
    `  on the wire ${formatBytes(wireBytesPerStep)} a step and worker; optimizer ${formatBytes(optimizerBytes)}; maps and frozen values ${formatBytes(constantBytes)} in each worker`,
  ].join('\n');
}

const ratioOf = (elements: number, stored: number) =>
  elements > stored && stored > 0 ? `: ${formatRatio(elements / stored)} times fewer` : '';

const formatRatio = (value: number) =>
  value < 10 ? String(Math.round(value * 10) / 10) : formatCount(Math.round(value));

const COLUMNS: readonly Column<WeightReport>[] = [
  ['weight', ({ weight }) => weight],
  ['kind', ({ kind }) => (kind === 'none' ? '-' : kind)],
  ['shape', ({ shape }) => shape.join(' x ') || '1'],
  ['elements', ({ elements }) => formatCount(elements)],
  [
    'stored',
    ({ stored, own, parameters }) =>
      own === stored ? formatCount(stored) : `those of ${parameters[0]}`,
  ],
  ['ratio', ({ elements, own }) => (own > 0 ? `1/${formatRatio(elements / own)}` : '-')],
  ['uses a value', ({ usesPerValue }) => formatRatio(usesPerValue)],
  ['wire a step', ({ wireBytesPerStep }) => formatBytes(wireBytesPerStep)],
  ['optimizer', ({ optimizerBytes }) => formatBytes(optimizerBytes)],
  ['constants', ({ constantBytes }) => formatBytes(constantBytes)],
  ['how', ({ use }) => use],
];
