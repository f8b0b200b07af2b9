import { createKernels, type Kernels } from '@tutti/kernels';
import { layoutOf } from '@tutti/parameters';
import {
  evaluatesAt,
  type HostFacts,
  type JobPlan,
  type ProgramDescription,
  type Transport,
} from '@tutti/protocol';
import {
  type Clock,
  createMonitor,
  errorToRecord,
  type Monitor,
  type Running,
  start,
  systemClock,
  TuttiError,
  type Wait,
  type WaitReport,
} from '@tutti/runtime';
import { createZmqTransport } from '@tutti/transport';
import { createContributor } from './contributor.js';
import { describeProgram } from './describe.js';
import { enrol, NO_ASSIGNMENT } from './enrolment.js';
import { hostFacts } from './host-facts.js';
import { type OpenProgram, ofProgram, openProgram } from './open-program.js';
import { probe } from './probe.js';
import type { Program } from './program.js';
import { createReadAhead } from './read-ahead.js';
import { createSpeaker } from './speaker.js';
import { createTask } from './task.js';
import { createUpstream, type Upstream } from './upstream.js';
import { createWeightBuffer } from './weights.js';

export interface WorkerInit {
  /** Where the coordinator listens, `tcp://host:port`. */
  readonly coordinator: string;
  readonly program: Program;
  /** SHA-256 over the program's sources; workers of one job must agree. */
  readonly programHash?: string;
  /** What others call this worker; must be unique in the job. The coordinator names one if absent. */
  readonly name?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: WorkerEvent) => void;
  /** How long the coordinator may stay silent before the worker gives up. Default 600,000. */
  readonly deadlineMs?: number;
  /** How long a coordinator that is gone is looked for. Default 120,000. */
  readonly rejoinMs?: number;
  readonly transport?: Transport;
  readonly clock?: Clock;
  readonly host?: HostFacts;
  readonly kernels?: Kernels;
}

export type WorkerEvent =
  | { readonly event: 'joined'; readonly worker: string; readonly job: string }
  | { readonly event: 'computed'; readonly step: number; readonly shards: readonly number[] }
  | ({ readonly event: 'waiting' } & WaitReport);

export interface WorkerSummary {
  readonly worker: string;
  /** Micro-batches computed. */
  readonly microBatches: number;
}

export interface Worker {
  /** Joins the job and computes until it is finished. */
  start(): RunningWorker;
}

export interface RunningWorker extends Running<WorkerEvent, WorkerSummary> {
  /**
   * Leaves politely: the micro-batch under way is finished and handed over, then `result` resolves.
   * What else it was to compute others do; the weights do not depend on it.
   */
  leave(): Promise<void>;
}

/** How long a worker that leaves waits for the coordinator's answer. */
const HAND_OVER_MS = 5000;

/**
 * A worker: pulls a version of the weights, computes the gradients of the shards it is assigned,
 * adds them along the canonical tree, pushes, and so on.
 *
 * It touches nothing of the process: no signal handlers, no exit, no console.
 * @throws (by `result`) TuttiError, with the coordinator's reason if it refused or ended the job
 */
export function createWorker(init: WorkerInit): Worker {
  return {
    start() {
      const leaving = new AbortController();
      const running = start<WorkerEvent, WorkerSummary>(
        async (emit, signal) => {
          const { program, clock = systemClock } = init;
          const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
          const monitor = createMonitor({ clock, signal, onWaiting });
          const closing = createMonitor({ clock, onWaiting });
          const open = await openProgram(program, monitor, closing);
          try {
            return await run(init, open, emit, monitor, leaving.signal);
          } finally {
            await open.close();
          }
        },
        { signal: init.signal, onEvent: init.onEvent },
      );
      return Object.assign(running, {
        async leave() {
          leaving.abort();
          await running.result.catch(() => {});
        },
      });
    },
  };
}

async function run(
  init: WorkerInit,
  { data, computation }: OpenProgram,
  emit: (event: WorkerEvent) => void,
  monitor: Monitor,
  leaving: AbortSignal,
): Promise<WorkerSummary> {
  const { clock = systemClock, transport = createZmqTransport() } = init;
  const { deadlineMs = 600_000, rejoinMs = 120_000 } = init;
  leaving.addEventListener('abort', () => monitor.notify(), { once: true });
  const description = describeProgram(init.program, data, computation, init.programHash);
  const host = init.host ?? hostFacts(computation.arithmetic);
  const enrolment = enrol({
    address: init.coordinator,
    join: (worker) => ({ type: 'join', worker, description, host }),
    worker: init.name ?? '',
    transport,
    clock,
    monitor,
    rejoinMs,
  });
  const untilCoordinator = (condition: () => boolean, what: string) =>
    monitor.until(condition, {
      who: `the coordinator at ${init.coordinator}`,
      what,
      remedy: 'See what the coordinator says, or whether it still runs.',
      deadlineMs,
    });

  let upstream: Upstream | undefined;
  try {
    await untilCoordinator(
      () => leaving.aborted || enrolment.welcome !== undefined,
      'welcome this worker',
    );
    if (enrolment.welcome === undefined) return { worker: enrolment.worker, microBatches: 0 };
    const { plan } = enrolment.welcome;
    const { worker, job } = enrolment;
    checkPlan(plan, description);
    emit({ event: 'joined', worker, job });

    const { kernels = createKernels() } = init;
    const layout = layoutOf(plan);
    const task = createTask({ plan, layout, data, computation, kernels, clock, worker });
    const weights = createWeightBuffer(layout);
    const { stamp } = enrolment;
    const source = createUpstream({ transport, clock, monitor, weights, stamp });
    upstream = source;
    const readAhead = createReadAhead(task, plan);
    /** Of the assignment that is followed. */
    let era = '';
    const contributor = createContributor({
      plan,
      layout,
      kernels,
      task,
      readAhead,
      weights,
      monitor,
      clock,
      ofProgram,
      send: enrolment.send,
      era: () => era,
      traffic: () => enrolment.traffic + source.traffic,
    });
    let microBatches = 0;
    /** Shards of the version under way that the coordinator has been given. */
    const computed = new Set<number>();
    const evaluated = new Set<number>();

    /** The values of version 0, as long as they are asked for. */
    let initial: Float32Array | undefined;

    async function initialize(chunks: readonly number[]) {
      initial ??= await monitor.race(task.initialize(), ofProgram('make the initial values'));
      for (const chunk of chunks) {
        const from = chunk * layout.chunkFloats;
        const part = initial.slice(from, from + layout.chunkLength(chunk));
        enrolment.send({ type: 'initial', chunk }, new Uint8Array(part.buffer));
      }
    }

    /** The next version is there: others were faster, and nobody needs the rest. */
    const halt = () => leaving.aborted || weights.arrived;

    async function evaluate(version: number, shards: readonly number[]) {
      const speaker = createSpeaker(clock, (reports) =>
        enrolment.send({ type: 'evaluation', version, shards: reports }),
      );
      for (const shard of shards) {
        if (halt()) break;
        const what = `evaluate shard ${shard} at version ${version}`;
        const evaluating = task.evaluate(weights.values, version, shard, speaker.goesOn);
        speaker.add(await monitor.race(evaluating, ofProgram(what)));
        evaluated.add(shard);
      }
      speaker.finish();
    }

    async function contribute(step: number, shards: readonly number[]) {
      const done = await contributor.contribute(step, shards, halt);
      for (const shard of done) computed.add(shard);
      microBatches += done.length;
      emit({ event: 'computed', step, shards: done });
    }

    /** The answer says that everything sent before it has been taken. */
    async function handOver() {
      enrolment.send({ type: 'leave' });
      const answer = monitor.until(() => enrolment.finished || !enrolment.present, {
        who: `the coordinator at ${init.coordinator}`,
        what: 'let this worker go',
        remedy: 'Nothing is lost: others compute what it owes.',
        deadlineMs: HAND_OVER_MS,
      });
      await answer.catch(() => {});
    }

    /** Why this worker has nothing to do. */
    function awaited(goal: number): Wait {
      const who = `the coordinator at ${init.coordinator}`;
      const remedy = 'See what it waits for: tutti status --coordinator, or its log.';
      if (!enrolment.present)
        return {
          who,
          what: 'come back',
          remedy: 'See how it ended; started again with the same settings, it finds its job.',
          deadlineMs,
        };
      if (goal < 0) return { who, what: 'assign shards', remedy, deadlineMs };
      const missing = weights.missing();
      const some = missing.length > 8 ? ', …' : '';
      const what = `send chunks ${missing.slice(0, 8).join(', ')}${some} of version ${goal}`;
      // With all weights here, it has been told nothing to compute.
      return missing.length === 0
        ? { who, what: `say what to do at version ${goal}`, remedy, deadlineMs }
        : { who: source.namesOf(missing), what, remedy, deadlineMs };
    }

    let admissions = 0;
    let probed: string | undefined;
    /** The version that was asked for last. */
    let goal = -1;
    /** Whether others are late with something that this worker could do now. */
    const canHelp = (at: number, shards: readonly number[], done: ReadonlySet<number>) =>
      at === weights.version && goal >= at && shards.some((shard) => !done.has(shard));
    function canHelpOut() {
      const { extra, extraEvaluation } = enrolment;
      const { version, shards } = extraEvaluation;
      return canHelp(extra.step, extra.shards, computed) || canHelp(version, shards, evaluated);
    }
    let version = -1;
    // Not what enrolment has by now: the first assignment may be there already.
    let assignment = NO_ASSIGNMENT;
    while (!enrolment.finished) {
      if (leaving.aborted) {
        await handOver();
        break;
      }
      source.relocate(enrolment.servers);
      if (enrolment.admissions > admissions) {
        // A new coordinator knows nothing of what was sent to the one before.
        admissions = enrolment.admissions;
        computed.clear();
        evaluated.clear();
        probed ??= await monitor.race(
          probe({ task, plan, layout, kernels, worker }),
          ofProgram('compute a probe gradient'),
        );
        enrolment.send({ type: 'probe', digest: probed });
      }
      const wantedInitially = enrolment.takeInitialize();
      if (wantedInitially.length > 0) await initialize(wantedInitially);
      if (enrolment.assignment !== assignment) {
        assignment = enrolment.assignment;
        if (assignment.generation > 0) initial = undefined;
        if (assignment.generation > 0 && (assignment.era !== era || goal < 0)) {
          ({ era } = assignment);
          // What was sent of these steps before is gone with the server that it was for.
          computed.clear();
          evaluated.clear();
          source.pull(assignment.step);
        }
      }
      if (weights.arrived) {
        weights.turn();
        version = weights.version;
        computed.clear();
        evaluated.clear();
        // Whoever has the new version knows that the sums of the step before are complete.
        contributor.recycle();
      }
      // Not always what it asked for itself: it may have been too late for that.
      goal = source.wanted;
      // While going back to an earlier version there is nothing to do at the later one.
      if (version >= 0 && goal >= version) {
        if (version < plan.steps && goal === version) {
          // Each chunk comes as soon as it is there, while this version is still computed on.
          goal = version + 1;
          source.pull(goal);
        }
        const mine = assignment.step <= version ? assignment.shards : [];
        const { extra, extraEvaluation: more } = enrolment;
        const given = more.version === version ? [...mine, ...more.shards] : mine;
        const unevaluated = [...new Set(given)].filter((shard) => !evaluated.has(shard));
        if (evaluatesAt(plan, version) && unevaluated.length > 0)
          await evaluate(version, unevaluated);
        const asked = extra.step === version ? [...mine, ...extra.shards] : mine;
        const wanted = [...new Set(asked)].filter((shard) => !computed.has(shard));
        if (version < plan.steps && wanted.length > 0) await contribute(version, wanted);
        // One at a time: what others need to go on comes first.
        const order = enrolment.takeOrder(version);
        if (order !== undefined) await contributor.verify(order);
        readAhead.prepare(version + 1, mine);
      }
      await monitor.until(
        () =>
          enrolment.finished ||
          leaving.aborted ||
          canHelpOut() ||
          (goal >= version && enrolment.hasOrder(version)) ||
          enrolment.initializeWanted ||
          enrolment.admissions > admissions ||
          enrolment.assignment !== assignment ||
          enrolment.servers !== source.servers ||
          source.wanted !== goal ||
          weights.arrived,
        () => awaited(goal),
      );
    }
    return { worker, microBatches };
  } catch (error) {
    await enrolment.close({ type: 'failed', error: errorToRecord(error) });
    throw error;
  } finally {
    await Promise.all([upstream?.close(), enrolment.close()]);
  }
}

function checkPlan(plan: JobPlan, description: ProgramDescription): void {
  if (plan.programHash === description.hash) return;
  throw new TuttiError(
    'REFUSED',
    `The job trains program ${plan.programName} (${plan.programHash.slice(0, 12)}), this worker has ${description.name} (${description.hash.slice(0, 12)})`,
    { remedy: 'Give every process the same program file.' },
  );
}
