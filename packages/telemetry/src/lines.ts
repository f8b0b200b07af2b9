import type { EarlyStopEvent, EpochEvent, FailedEvent, RunEvent, StartedEvent } from './events.js';
import { formatCount, formatDuration, formatLoss, formatMetrics } from './format.js';

/** The sentence for an event that does not come every step. Undefined for those that do not need one. */
export function eventText(
  event: RunEvent,
  started: StartedEvent | undefined,
): { readonly text: string; readonly urgent: boolean } | undefined {
  const say = (text: string) => ({ text, urgent: false });
  const warn = (text: string) => ({ text, urgent: true });
  switch (event.event) {
    case 'listening':
      return say(`to see how it is doing: tutti status --coordinator ${event.address}`);
    case 'started':
      return say(startedText(event));
    case 'epoch':
      return say(epochText(event, started));
    case 'learning-rate':
      return say(
        `no better after epoch ${event.epoch}: the learning rate is ${formatShare(event.factor)} of what it would be from now on`,
      );
    case 'early-stop':
      return say(earlyStopText(event));
    case 'worker-joined':
      return say(`${event.worker} joined (${counted(event.workers, 'worker')})`);
    case 'worker-left':
      return warn(`${event.worker} left: ${event.reason} (${counted(event.workers, 'worker')})`);
    case 'worker-restarted':
      return warn(
        `${event.worker} is started again (${event.restarts} of ${event.maxRestarts} times): ${event.reason}`,
      );
    case 'server-caught-up':
      return say(
        `the server at ${event.address} has what another has, and stands by (${formatDuration(event.ms)})`,
      );
    case 'waiting':
      return warn(
        `${event.by === undefined ? 'waiting' : `${event.by} waits`} for ${event.who}: ${event.what}, for ${formatDuration(event.sinceMs)} now. ${event.remedy}`,
      );
    case 'checkpoint':
      return say(`checkpoint of step ${event.step} in ${event.path}`);
    case 'warning':
      return warn(`warning: ${sentence(event.message)} ${event.remedy}`);
    case 'failed':
      return warn(failureText(event));
    // A warning comes with it.
    case 'worker-excluded':
    case 'weights':
    case 'step':
    case 'finished':
      return undefined;
  }
}

/** Messages end without a full stop, remedies with one. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export function failureText(event: FailedEvent): string {
  if (event.code === 'ABORTED') {
    const { step, lost, reached } = event.details;
    // Whoever pressed Ctrl-C knows why, and before the first step there is nothing else to know.
    return step || lost || reached ? `${event.message}\n  ${event.remedy}` : 'stopped';
  }
  return `error ${event.code}: ${event.message}\n  ${event.remedy}`;
}

export function epochText(event: EpochEvent, started: StartedEvent | undefined): string {
  const numbers = (loss: number, metrics: EpochEvent['metrics']) =>
    [`loss ${formatLoss(loss)}`, formatMetrics(metrics)].filter(Boolean).join(', ');
  const test =
    event.evaluation === undefined
      ? ''
      : `; test: ${numbers(event.evaluation.loss, event.evaluation.metrics)}`;
  return `epoch ${outOf(event.epoch, started?.epochs)}: ${numbers(event.loss, event.metrics)}${test}`;
}

function earlyStopText({ epoch, monitor, best }: EarlyStopEvent): string {
  const stopped = `no better by ${monitor}: the run ends after epoch ${epoch}`;
  if (best === undefined) return stopped;
  const numbers = [`loss ${formatLoss(best.loss)}`, formatMetrics(best.metrics)];
  return `${stopped}, with the weights of step ${best.step}: ${numbers.filter(Boolean).join(', ')}`;
}

function formatShare(factor: number): string {
  return `${Number((100 * factor).toPrecision(3))} %`;
}

export function outOf(value: number, total: number | undefined): string {
  return total === undefined ? String(value) : `${value}/${total}`;
}

function startedText(event: StartedEvent): string {
  if (event.resumed?.step === event.steps) return overText(event, event.resumed.path);
  const who =
    event.workers === 0
      ? 'in one process, without a network'
      : `with ${counted(event.workers, 'worker')} and ${counted(event.servers, 'server')}`;
  return (
    `training ${event.program ?? event.job} ${who}: ${counted(event.steps, 'step')} over ` +
    `${counted(event.shards, 'shard')}, ${counted(event.storedParameters, 'stored parameter')}` +
    (event.resumed === undefined
      ? ''
      : `; on from step ${event.resumed.step} (${event.resumed.path})`) +
    (event.from === undefined
      ? ''
      : `; a new run from step 0, with the weights of ${event.from.path} and a fresh optimizer`)
  );
}

/** A run that goes on from its own end. */
function overText({ program, job, steps, epochs }: StartedEvent, path: string): string {
  return (
    `${program ?? job} has done all of its ${counted(steps, 'step')} (${path}): nothing is left to train. ` +
    `To go on, give ${epochs === undefined ? 'more --epochs' : `--epochs ${epochs + 1}, or more`}; to begin a new run with its weights, --from ${path} in place of --resume`
  );
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
