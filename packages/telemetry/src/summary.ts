import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FinishedEvent } from './events.js';
import { formatBytes, formatCount, formatDuration, formatLoss, formatMetric } from './format.js';

export interface SummaryInit {
  /** Whether loss and metrics come from an evaluation set. */
  readonly evaluated: boolean;
  readonly elapsedMs?: number;
}

/** What a person wants to know at the end, one fact a line. */
export function summaryLines(event: FinishedEvent, init: SummaryInit): string[] {
  const kind = init.evaluated ? 'test' : 'training';
  const rows: [string, string][] = [
    ...Object.entries(event.metrics).map(([name, value]): [string, string] => [
      `${kind} ${name}`,
      formatMetric(name, value),
    ]),
    [`${kind} loss`, formatLoss(event.loss)],
  ];
  // A run that was over already has none.
  if (event.examplesPerSecond > 0)
    rows.push([
      'throughput',
      `${formatCount(event.examplesPerSecond)} examples/s, ` +
        `${formatBytes(event.wireBytesPerStep)} on the wire a step`,
    ]);
  rows.push([
    'parameters',
    `${formatCount(event.storedParameters)} stored, digest ${event.digest}`,
  ]);
  if (event.modelPath !== null) rows.push(['model', event.modelPath]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const time = init.elapsedMs === undefined ? '' : ` in ${formatDuration(init.elapsedMs)}`;
  const lines = [
    `done: ${formatCount(event.steps)} steps, ${formatCount(event.examples)} examples${time}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
  ];
  if (event.modelPath !== null) {
    const code = loadingCode(event.modelPath);
    lines.push('load it:', ...code.map((line) => `  ${line}`));
  }
  return lines;
}

/**
 * The lines of code that load what lies at `modelPath`.
 * @param format `graph` where a model.json has no layers
 * @param needsSharing whether a .tutti file has weights that are computed from others
 */
export function loadingCode(
  modelPath: string,
  format?: string,
  needsSharing = false,
): readonly string[] {
  if (basename(modelPath) === 'model.json') {
    const load = format === 'graph' ? 'loadGraphModel' : 'loadLayersModel';
    return [
      "import * as tf from '@tensorflow/tfjs-node';",
      `const model = await tf.${load}(${quote(pathToFileURL(modelPath).href)});`,
    ];
  }
  if (modelPath.endsWith('.tutti')) {
    const bytes = `readFileSync(${quote(modelPath)})`;
    return [
      "import { readModel } from '@tutti/edge';",
      ...(needsSharing ? ["import { sharing } from '@tutti/edge/sharing';"] : []),
      `const model = readModel(${bytes}${needsSharing ? ', { sharing }' : ''}); // of node:fs; in a page: fetch`,
    ];
  }
  if (modelPath.endsWith('.keras'))
    return [`model = keras.saving.load_model(${quote(modelPath)})  # Python, Keras 3`];
  if (modelPath.endsWith('.safetensors')) {
    return [
      "import { readSafetensors } from '@tutti/checkpoint';",
      `const { tensors } = await readSafetensors(${quote(modelPath)});`,
    ];
  }
  return [
    "import { readCheckpoint } from '@tutti/checkpoint';",
    `const { parameters } = await readCheckpoint(${quote(modelPath)});`,
    '// For tf.loadLayersModel, Keras and other tools: tutti export <program>',
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
