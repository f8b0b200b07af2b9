import { createHash } from 'node:crypto';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatMetric,
} from '@tutti/telemetry';
import type { RunHistory } from '../run-history.js';
import type { Mark, View } from '../view.js';
import { curve } from './curve.js';
import { html, type Markup } from './html.js';
import { STYLE } from './style.js';

/** What made the report. */
export interface ReportOrigin {
  readonly tutti: string;
  readonly node: string;
  readonly machine: string;
}

const MOST_METRICS = 4;
const MOST_LISTED = 60;

/**
 * What a run was, in one file that needs no network and runs nothing: what was trained, on what, how fast,
 * its curves, what it survived, its digest, and how to load what came of it.
 */
export function reportHtml(
  history: Pick<RunHistory, 'view' | 'curves'>,
  origin: ReportOrigin,
): string {
  const view = history.view();
  const name = view.program ?? 'A run';
  const digest = createHash('sha256').update(STYLE).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${digest}'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${name}: a training with Tutti</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
<h1>${name}</h1>
<p class="muted">${summary(view)}</p>
${tiles(view)}
<h2>Curves</h2>
${curves(history, view)}
<h2>What came of it</h2>
${outcome(view)}
<h2>What was trained, and on what</h2>
${trained(view)}
<h2>What happened on the way</h2>
${happened(view)}
<footer>Tutti ${origin.tutti}, Node ${origin.node}, ${origin.machine}${view.job === null ? null : html` · job ${view.job}`}</footer>
</body>
</html>
`.markup;
}

function summary(view: View): string {
  const { phase, startedAt, endedAt, step, steps } = view;
  const when = endedAt === null ? '' : ` on ${new Date(endedAt).toUTCString()}`;
  const took =
    startedAt === null || endedAt === null
      ? ''
      : `, ${formatDuration(endedAt - startedAt)} of training`;
  const far =
    step === steps
      ? `${formatCount(steps)} steps`
      : `step ${formatCount(step)} of ${formatCount(steps)}`;
  return `${phase[0]!.toUpperCase()}${phase.slice(1)}${when}: ${far}${took}.`;
}

function tiles(view: View): Markup {
  const evaluation = view.epochsDone.findLast((epoch) => epoch.evaluation !== null)?.evaluation;
  const { loss, metrics } = evaluation ?? view;
  const kind = evaluation ? 'test' : 'training';
  const shown: [string, string][] = [
    ...Object.entries(metrics)
      .slice(0, 2)
      .map(([name, value]): [string, string] => [
        `${kind} ${name}`,
        value === null ? '–' : formatMetric(name, value),
      ]),
    [`${kind} loss`, loss === null ? 'no number' : formatLoss(loss)],
    ['examples/s', view.examplesPerSecond === null ? '–' : formatCount(view.examplesPerSecond)],
    [
      'on the wire a step',
      view.wireBytesPerStep === null ? '–' : formatBytes(view.wireBytesPerStep),
    ],
  ];
  return html`<dl class="tiles">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function curves(history: Pick<RunHistory, 'curves'>, view: View): Markup {
  const { points, metrics } = history.curves.since({ revision: -1, points: 0 });
  const steps = points.map(([step]) => step!);
  const marks = view.marks.filter(({ tone }) => ['fault', 'recovery', 'wait'].includes(tone));
  const common = { steps, last: Math.max(view.steps, ...steps.slice(-1)) };
  const evaluated = view.epochsDone.filter(({ evaluation }) => evaluation !== null);
  const column = (at: number) => points.map((point) => point[at] ?? null);
  const inRun = marks.filter(({ title }) => title !== 'Finished');
  return html`${curve({
    ...{ ...common, title: 'loss', values: column(2), format: formatLoss, marks: inRun },
    tests: evaluated.map(({ step, evaluation }) => ({ step, value: evaluation!.loss })),
  })}${metrics.slice(0, MOST_METRICS).map((name, at) =>
    curve({
      ...{ ...common, title: name, values: column(5 + at), marks: inRun },
      format: (value) => formatMetric(name, value),
      tests: evaluated.map(({ step, evaluation }) => ({
        step,
        value: evaluation!.metrics[name] ?? null,
      })),
    }),
  )}${curve({
    ...{ ...common, title: 'examples/s', values: column(3), format: formatCount, marks: inRun },
    tests: [],
  })}`;
}

function outcome({ result, failure, phase }: View): Markup {
  if (result === null) {
    const text = failure === null ? `The run is ${phase}.` : `${failure.code}: ${failure.message}`;
    return html`<div class="box"><p><b>${text}</b></p><p class="muted">${failure?.remedy}</p></div>`;
  }
  const { digest, modelPath, loading } = result;
  return html`<div class="box"><dl class="facts"><dt>digest</dt><dd><code>${digest}</code></dd><dt>model</dt><dd>${modelPath ?? 'was not saved'}</dd></dl>
<p class="muted">The digest is SHA-256 over the stored parameters. The same program, data and hyperparameters give the same one, with any number of workers and servers, whatever happens to them.</p>
${loading.length === 0 ? null : html`<pre>${loading.join('\n')}</pre>`}</div>`;
}

function trained(view: View): Markup {
  const { dataset, hyperparameters, weights, storedParameters, workers } = view;
  const facts: [string, string][] = [
    ...(dataset === null
      ? []
      : ([
          ['training examples', formatCount(dataset.training)],
          ['evaluation examples', formatCount(dataset.evaluation)],
        ] as [string, string][])),
    ['examples trained on', `${formatCount(view.examples)}, in ${epochsText(view)}`],
    ['stored parameters', formatCount(storedParameters)],
    ['workers', workers.length === 0 ? 'one process' : workers.map(({ name }) => name).join(', ')],
    ...Object.entries(hyperparameters).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
  ];
  return html`<div class="box"><dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></div>
${weights === null ? null : weightTable(weights)}`;
}

/** Of a run that ended before its last step only the epochs that are whole. */
function epochsText({ step, steps, epochs }: View): string {
  const done = step < steps ? `${Math.floor((epochs * step) / steps)} of ` : '';
  return `${done}${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
}

function weightTable({ rows, elements, stored }: NonNullable<View['weights']>): Markup {
  return html`<p class="muted">The model reads ${formatCount(elements)} weights, of which ${formatCount(stored)} values are stored, sent and optimised.</p>
<div class="box"><table><thead><tr><th>weight</th><th>shape</th><th>sharing</th><th class="number">weights</th><th class="number">stored</th></tr></thead><tbody>
${rows.map(({ weight, shape, kind, elements: read, own }) => html`<tr><th>${weight}</th><td>${shape.join(' × ') || '1'}</td><td>${kind === 'none' ? '–' : kind}</td><td class="number">${formatCount(read)}</td><td class="number">${own === 0 ? 'tied' : formatCount(own)}</td></tr>`)}
</tbody></table></div>`;
}

function happened(view: View): Markup {
  const { faults } = view;
  const said =
    faults === 0
      ? 'Nothing was lost.'
      : `${faults === 1 ? 'One fault' : `${faults} faults`}${view.result === null ? '.' : ', survived: the digest is what it would have been without.'}`;
  const shown = view.marks.filter(({ tone }) => tone !== 'quiet').slice(-MOST_LISTED);
  return html`<div class="box"><p>${said}</p>${shown.length === 0 ? null : html`<ul>${shown.map((mark) => item(mark, view))}</ul>`}</div>`;
}

function item({ at, step, tone, title, detail }: Mark, { startedAt }: View): Markup {
  const after = startedAt === null ? '' : `after ${formatDuration(Math.max(0, at - startedAt))}, `;
  return html`<li class="${tone}"><b>${title}</b> <span class="muted">${after}step ${formatCount(step)}: ${detail}</span></li>`;
}
