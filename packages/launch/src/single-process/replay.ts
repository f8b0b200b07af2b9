import { dirname, join, resolve } from 'node:path';
import { listCheckpoints, locateCheckpoint, type Manifest, readManifest } from '@tutti/checkpoint';
import { badCheckpoint, isRunFolder, readStepLog, STEPS_FILE } from '@tutti/checkpoint/internal';
import { createKernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import {
  createSumDigests,
  digestOf,
  meansOf,
  type ResumePoint,
  readingCheckpoint,
  readPoint,
  refuseOtherData,
  refuseOtherSharing,
  type StepRecord,
  type Totals,
} from '@tutti/run';
import {
  abortError,
  type Clock,
  createMonitor,
  failAfter,
  type Monitor,
  TuttiError,
  type WaitReport,
  withCleanUp,
} from '@tutti/runtime';
import type { Program } from '@tutti/worker';
import {
  createProgramRunner,
  identifyData,
  monitoredRunner,
  openProgram,
} from '@tutti/worker/internal';
import { createPlainSteps } from './plain-steps.js';

/** A step that was computed again. */
export interface ReplayedStep {
  /** Steps that are done with it, as in the events of a run. */
  readonly step: number;
  /** Mean over its examples. */
  readonly loss: number;
  /** Digest of the sums that are applied: see `SumDigests`. */
  readonly digest: string;
  /** What the run recorded; undefined if it did not. */
  readonly recorded?: StepRecord;
  /** A checkpoint of the run with just these steps, and whether its weights are these. */
  readonly checkpoint?: { readonly path: string; readonly same: boolean };
  /** Whether all that was recorded is the same; undefined if nothing was. */
  readonly same: boolean | undefined;
}

export interface Replay {
  /** The checkpoint that it went from. */
  readonly checkpoint: string;
  /** Those that were asked for. */
  readonly steps: readonly ReplayedStep[];
  /** Digest of the weights after the last step. */
  readonly digest: string;
}

export interface ReplayInit {
  readonly program: Program;
  readonly programHash: string;
  /** A checkpoint, or a folder of them: then the last one before the steps is taken. */
  readonly checkpoint: string;
  /** The steps, both ends included, counted from 1. By default all that were recorded after it. */
  readonly steps?: { readonly first: number; readonly last: number } | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onStep?: (step: ReplayedStep) => void;
  /** Told of every wait that lasts. */
  readonly onWaiting?: (report: WaitReport) => void;
}

/**
 * Computes steps of a run again, in this process, from a checkpoint, and compares them with what the
 * run recorded: the gradient sums that were applied, and the weights of later checkpoints.
 * @throws TuttiError ARITHMETIC naming the first step that differs; BAD_CHECKPOINT if the checkpoint
 *   does not fit, or nothing was recorded; BAD_CONFIG for steps that cannot be reached
 */
export async function replay(init: ReplayInit): Promise<Replay> {
  const { program, programHash, clock, signal, onStep } = init;
  const { onWaiting = () => {} } = init;
  const monitor = createMonitor({ clock, signal, onWaiting });
  const closing = createMonitor({ clock, onWaiting });
  const reading = <T>(files: Promise<T>) => monitor.race(files, readingCheckpoint);
  const path = await reading(beginningOf(init.checkpoint, init.steps?.first));
  const manifest = await reading(readManifest(path));
  if (manifest.programHash !== programHash)
    throw badCheckpoint(
      path,
      `it is of another program: its sources had hash ${manifest.programHash.slice(0, 12)}, not ${programHash.slice(0, 12)}`,
      'Use the program as it was when this was written.',
    );
  const directory = dirname(path);
  const records = await reading(recordsOf(directory, manifest, init.steps?.last));
  const { first, last } = init.steps ?? {
    first: manifest.step + 1,
    last: Math.max(manifest.step, ...records.keys()),
  };
  checkSteps(path, manifest, first, last);
  const point = await reading(readPoint(path, manifest.plan));
  const checkpoints = new Map<number, string>();
  for (const listed of await reading(listCheckpoints(directory)))
    checkpoints.set(listed.step, listed.path);

  const run = await openSteps(program, manifest, point, clock, monitor, closing);
  const steps: ReplayedStep[] = [];
  let rate = point.progress?.steering?.rate ?? 1;
  // Unnamed wait: what it awaits names its own waits.
  await withCleanUp(run.close, async () => {
    for (let version = point.step; version < last; version++) {
      if (signal.aborted) throw abortError(signal);
      const step = version + 1;
      const recorded = records.get(step);
      if (recorded !== undefined) rate = recorded.rate ?? 1;
      const { totals, digest } = await run.step(version, rate);
      const comparing = compareWeights(checkpoints.get(step), manifest, run.flat);
      const checkpoint = await reading(comparing);
      const verdicts = [
        ...(recorded === undefined ? [] : [isSame(recorded, totals, digest)]),
        ...(checkpoint === undefined ? [] : [checkpoint.same]),
      ];
      const replayed: ReplayedStep = {
        step,
        loss: meansOf(totals).loss,
        digest,
        ...(recorded && { recorded }),
        ...(checkpoint && { checkpoint }),
        same: verdicts.length === 0 ? undefined : verdicts.every(Boolean),
      };
      if (replayed.same === false || step >= first) {
        steps.push(replayed);
        onStep?.(replayed);
      }
      if (replayed.same === false) throw differs(path, manifest, run.arithmetic, replayed);
    }
  });
  // What is the same says that all before it is, and nothing of what comes after.
  const told = steps.findLast(({ same }) => same !== undefined)?.step ?? first - 1;
  if (told < last)
    throw badCheckpoint(
      path,
      `the run recorded none of the steps ${told + 1} to ${last} in ${join(directory, STEPS_FILE)}, and left no checkpoint of them`,
      told < first
        ? 'Steps are recorded while --checkpoint-every is given.'
        : `Ask for --steps ${first}..${told}: those are the same, bit for bit.`,
    );
  return { checkpoint: path, steps, digest: digestOf(run.flat) };
}

// Unnamed wait: the caller races it.
async function beginningOf(path: string, first: number | undefined): Promise<string> {
  const listed = await listCheckpoints(path);
  if (listed.length === 0) {
    // Unnamed wait: the caller races it.
    const located = await locateCheckpoint(path);
    const run = dirname(located);
    const isOfRuns = isRunFolder(run) && resolve(dirname(run)) === resolve(path);
    return isOfRuns ? beginningOf(run, first) : located;
  }
  const fit = first === undefined ? listed[0] : listed.findLast(({ step }) => step < first);
  if (fit !== undefined) return fit.path;
  throw new TuttiError(
    'BAD_CONFIG',
    `Step ${first} cannot be reached from the checkpoints in ${path}: the earliest is at step ${listed[0]!.step}`,
    { remedy: `Ask for steps from ${listed[0]!.step + 1} on.` },
  );
}

function checkSteps(path: string, { step, plan }: Manifest, first: number, last: number): void {
  if (first > step && last >= first && last <= plan.steps) return;
  throw new TuttiError(
    'BAD_CONFIG',
    `Steps ${first} to ${last} cannot be computed from ${path}, which is at step ${step} of ${plan.steps}`,
    { remedy: `Ask for steps from ${step + 1} to ${plan.steps}, or name another checkpoint.` },
  );
}

/** By step, those after the checkpoint. What was recorded last counts: a run may have gone back and made a step again. */
// Unnamed wait: the caller races it.
async function recordsOf(
  directory: string,
  { job, step: after }: Manifest,
  last = Number.POSITIVE_INFINITY,
): Promise<ReadonlyMap<number, StepRecord>> {
  const records = new Map<number, StepRecord>();
  for await (const record of readStepLog(directory) as AsyncIterable<StepRecord>)
    if (record.job === job && record.step > after && record.step <= last)
      records.set(record.step, record);
  return records;
}

async function openSteps(
  program: Program,
  manifest: Manifest,
  point: ResumePoint,
  clock: Clock,
  monitor: Monitor,
  closing: Monitor,
) {
  const { plan } = point;
  const open = await openProgram(program, monitor, closing);
  const { data, computation } = open;
  try {
    refuseOtherSharing(point.path, plan.sharing, computation.sharing?.digest);
    refuseOtherData(point.path, manifest, await identifyData(data, monitor));
  } catch (error) {
    return failAfter(open.close, error);
  }
  const layout = layoutOf(plan);
  const kernels = createKernels();
  const worker = 'this process';
  const bare = createProgramRunner({ plan, layout, data, computation, kernels, clock, worker });
  const runner = monitoredRunner(bare, monitor);
  const sums = createSumDigests(layout.chunks);
  const { applied } = sums;
  const steps = await createPlainSteps({ plan, layout, kernels, runner, point, applied });
  return {
    flat: steps.flat,
    arithmetic: computation.arithmetic ?? {},
    async step(version: number, rate: number) {
      const totals = await steps.step(version, rate);
      return { totals, digest: sums.of(version)! };
    },
    close: open.close,
  };
}

function isSame(recorded: StepRecord, { count, lossSum }: Totals, digest: string): boolean {
  return recorded.digest === digest && recorded.count === count && recorded.lossSum === lossSum;
}

/** Undefined if there is no such checkpoint of this run. */
// Unnamed wait: the caller races it.
async function compareWeights(path: string | undefined, { job }: Manifest, flat: Float32Array) {
  if (path === undefined) return undefined;
  const manifest = await readManifest(path).catch(() => undefined);
  if (manifest === undefined || manifest.job !== job) return undefined;
  return { path, same: manifest.digest === digestOf(flat) };
}

function differs(
  path: string,
  { versions }: Manifest,
  arithmetic: Readonly<Record<string, string>>,
  { step, loss, digest, recorded, checkpoint }: ReplayedStep,
): TuttiError {
  const what =
    checkpoint?.same === false && recorded?.digest === digest
      ? `the weights are not those of ${checkpoint.path}`
      : `the gradient has digest ${digest.slice(0, 12)} and the loss is ${loss}, recorded were ${recorded?.digest.slice(0, 12)} and ${recorded && recorded.lossSum / recorded.count}`;
  const differences = Object.entries(arithmetic)
    .filter(([name, value]) => versions[name] !== undefined && versions[name] !== value)
    .map(([name, value]) => `${name}: ${versions[name]} then, ${value} now`);
  return new TuttiError(
    'ARITHMETIC',
    `Step ${step}, computed again from ${path}, gives other bits than the run: ${what}`,
    {
      remedy:
        differences.length === 0
          ? 'Replay it on another machine. If that agrees with this one, a machine of the run computed wrong: train again from this checkpoint, with --verify.'
          : `Compute as the run did (${differences.join('; ')}).`,
      details: { step, checkpoint: path, differences },
    },
  );
}
