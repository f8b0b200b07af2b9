import { layoutOf } from '@tutti/parameters';
import type { Envelope, Permit } from '@tutti/protocol';
import type { Snapshot } from '@tutti/run';
import type { RunEvent } from '@tutti/telemetry';
import { PADDING, type Reference } from './references.js';
import {
  type Fault,
  type FaultKind,
  losesServers,
  losesWeights,
  type Scenario,
} from './scenario.js';
import type { World } from './world.js';

/** What must hold of every run, whatever is done to it. */
export interface Invariants {
  readonly violations: string[];
  delivered(host: string, envelope: Envelope): void;
  /** Servers were let go on without an order. */
  permitted(permit: Permit, world: World): void;
  /** A checkpoint is about to be written. */
  saved(snapshot: Snapshot): void;
  injected(fault: Fault, atMs: number): void;
  /** The coordinator has ended, and the others had time to. */
  ended(world: World, simulatedMs: number): void;
  /** All were told to stop, and had time to. */
  stopped(world: World): void;
}

/** How many times its `ms` a fault lasts, if not once. */
const LASTING: Partial<Record<FaultKind, number>> = {
  'hung worker': 10,
  'isolated host': 2,
  'all workers crash': 4,
};

/** In which a worker comes back whose connection was reset. */
const DEAF_MS = 1000;

/** The longest deadline of a wait, and some time for what comes after it. */
const DEADLINE_MS = 120_000 + 20_000;
/** An undisturbed run of any scenario takes less. */
const UNDISTURBED_MS = 60_000;
/** Four times the default of --progress-deadline-ms. */
const FIRST_TIME_MS = 60_000;

/** After which all is started again that somebody has ended. */
const LONGEST_PAUSE_MS = 3000;

/** Steps that servers may apply without an order, so also after somebody has ended the run. */
const MOST_STEPS_AHEAD = 16;
/** Time that these may take, by that of the steps before. */
const LOOK_AHEAD_MS = 100;
/** Messages one after the other at the end of a run, once the last step is done. */
const LAST_MESSAGES = 4;
/** After which a checkpoint may come later, or what was sent for it is lost. */
const LATE_CHECKPOINT: readonly FaultKind[] = [
  'disk error',
  'connection reset',
  'isolated host',
  'partition that heals',
  'partition that lasts',
];

/** A run that is ended as its coordinator is back, and struck by nothing else, ends within this. */
const RETURN_MS = 15_000;
const ON_RETURN: readonly FaultKind[] = ['coordinator crash and restart', 'stop'];

/** Waits of a coordinator for servers. */
const SERVERS_AWAITED =
  / hosts one$| to send the initial values | for the servers? at .* to (open the job|say what they hold|take \d+ of |store |send \d+ chunks)/;

/** What is told of a run that somebody has ended. */
interface Stopped {
  readonly step?: number;
  readonly checkpoint?: string;
  readonly lost?: number;
}

export function createInvariants(scenario: Scenario, reference: Reference): Invariants {
  const violations: string[] = [];
  const kinds = new Set<FaultKind>();
  let lastFaultMs = 0;
  /** Versions of which there was a checkpoint. */
  const saved = new Set<number>();
  const bytes = new Map<string, Uint8Array>();
  const newest = new Map<string, number>();
  /** The session of each worker, and the version that was asked for last in each session. */
  const sessions = new Map<string, string>();
  const asked = new Map<string, number>();
  const wentBack = new Set<string>();
  const assigned = new Map<string, string>();
  /** That in which nobody has to go back yet. */
  let firstAttempt = scenario.aggregation === 'server' ? undefined : '';
  /** Another coordinator counts anew. */
  const isRestarted = () => kinds.has('coordinator crash and restart') || kinds.has('stop');
  const { earlyStopping, reduceOnPlateau } = scenario.program;
  const steered = earlyStopping !== undefined || reduceOnPlateau !== undefined;
  const violated = (text: string) => {
    if (violations.length < 20) violations.push(text);
  };
  const floats =
    scenario.program.features + 1 + (scenario.program.chunkFloats === undefined ? 0 : PADDING);

  function checkEvents(events: readonly RunEvent[], first: boolean) {
    const restarted = losesWeights(scenario);
    let [step, examples, epochs] = [-1, 0, 0];
    for (const event of events) {
      if (event.event === 'step') {
        const expected = reference.steps[event.step - 1];
        if (step >= 0 && event.step !== step + 1 && !(restarted && event.step <= step))
          violated(`Step ${event.step} came after step ${step}`);
        if (first && step < 0 && event.step !== 1) violated(`The first step was ${event.step}`);
        if (event.loss !== expected?.loss)
          violated(`Step ${event.step} had loss ${event.loss}, not ${expected?.loss}`);
        const count = expected!.examples - (reference.steps[event.step - 2]?.examples ?? 0);
        if (step === event.step - 1 || event.step === 1)
          if (event.examples - examples !== count && !restarted)
            violated(`Step ${event.step} counted ${event.examples - examples}, not ${count}`);
        step = event.step;
        examples = event.examples;
      }
      if (event.event === 'epoch') {
        epochs++;
        const expected = reference.epochs.find((each) => each.step === event.step);
        if (event.evaluation?.loss !== expected?.evaluation?.loss)
          violated(
            `Version ${event.step} was evaluated to ${event.evaluation?.loss}, not ${expected?.evaluation?.loss}`,
          );
        if (first && !restarted && event.loss !== expected?.loss)
          violated(`The epoch had loss ${event.loss}, not ${expected?.loss}`);
      }
    }
    return epochs;
  }

  /** No server has lost its weights: no coordinator goes back behind what one before had done. */
  function checkKept(world: World) {
    const { incarnations, halted, disk } = world;
    // What evaluations had decided went with the coordinator.
    if (steered) return;
    // All was begun anew.
    if (halted !== undefined && (!isKept(world) || disk.fault === 'unreadable')) return;
    let done = 0;
    for (const event of incarnations.flat()) {
      if (event.event !== 'step') continue;
      if (event.step <= done) violated(`Step ${event.step} came again, after step ${done}`);
      done = event.step;
    }
  }

  /** Where nothing holds them up, there are checkpoints of all versions that were to have one. */
  function checkSaved(events: readonly RunEvent[]) {
    const { checkpointEvery } = scenario;
    if (checkpointEvery === 0 || losesServers(scenario)) return;
    if (LATE_CHECKPOINT.some((kind) => kinds.has(kind))) return;
    let before = -1;
    for (const event of events) {
      if (event.event !== 'step') continue;
      if (event.step === before + 1 && before % checkpointEvery === 0 && !saved.has(before))
        violated(`There was no checkpoint of version ${before}`);
      before = event.step;
    }
  }

  /** Nothing kept the coordinator that somebody ended from saving all that was trained. */
  function isKept({ halted, incarnations, disk }: World): boolean {
    if (halted === undefined || !halted.informed || disk.failed()) return false;
    if (losesWeights(scenario) || (steered && incarnations.length > 1)) return false;
    // A step that servers have begun needs workers.
    const { lost } = (halted.error.details ?? {}) as Stopped;
    return lost === undefined || halted.usable >= scenario.minWorkers;
  }

  /** Somebody has ended the run: it does not go on for long, and nothing is lost. */
  function checkHalted(world: World) {
    const { interrupted, halted, disk, outcome } = world;
    if (interrupted === undefined) return;
    const { step = 0, checkpoint, lost } = (halted?.error.details ?? {}) as Stopped;
    const reached = halted === undefined ? outcome()?.result?.steps : step;
    // Another coordinator knows nothing of it.
    const forgotten = halted === undefined && kinds.has('coordinator crash and restart');
    if (!forgotten && reached !== undefined && reached > interrupted.version + MOST_STEPS_AHEAD)
      violated(`It was to end at version ${interrupted.version}, and came to ${reached}`);
    if (halted === undefined) return;
    if (step > 0 && checkpoint === undefined && !disk.failed() && !losesWeights(scenario))
      violated(`It was ended at version ${step}, which was not saved`);
    const saved = checkpoint === undefined ? 0 : step;
    if (isKept(world) && (lost !== undefined || saved < halted.done))
      violated(`It was ended after step ${halted.done}: ${halted.error.message}`);
    const tookMs = halted.atMs - interrupted.atMs;
    const isHeldUp = scenario.faults.some(({ kind }) => !ON_RETURN.includes(kind));
    if (tookMs > (isHeldUp ? DEADLINE_MS : RETURN_MS))
      violated(`It ended only ${tookMs} ms after somebody had wished so`);
    if (
      scenario.faults.length === 1 &&
      tookMs > 2 * LOOK_AHEAD_MS + LAST_MESSAGES * scenario.delayMs
    )
      violated(`It ended ${tookMs} ms after somebody had wished so`);
  }

  /** Whether a run that was struck like this may fail with this error. */
  function mayFail(error: { code?: string; message?: string }, world: World): boolean {
    const begun = world.incarnations.at(-1)!.some(({ event }) => event === 'started');
    // Before the first step of a coordinator all have to come.
    const needed = begun ? scenario.minWorkers : scenario.workers;
    const coordinator = world.processes.findLast((each) => each.role === 'coordinator')!;
    const usable = coordinator.usable ?? world.usable();
    if (world.halted !== undefined && world.halted.error === error) return true;
    // It fails its own probe, perhaps before there is anybody else.
    if (kinds.has('lying worker') && / computed twice /.test(error.message ?? '')) return true;
    // Where two contradict each other and stand by it, nobody can know which is right.
    if (kinds.has('lying worker') && error.code === 'ARITHMETIC' && usable <= 2) return true;
    if (scenario.colocated && SERVERS_AWAITED.test(error.message ?? '')) {
      // Nobody is left whose process hosts one in the place of one that is gone.
      if (usable < scenario.servers) return true;
      // Before the training and after it, one that hangs is awaited until the deadline.
      if (kinds.has('hung worker') && !/ hosts one$/.test(error.message ?? '')) return true;
    }
    if (usable >= needed || error.code !== 'DEADLINE') return false;
    // The last is not dropped when it hangs: there is nobody to take its place.
    const wait = kinds.has('hung worker')
      ? / for worker /
      : /\sto (join( (at|and make|with)|$)|say what they hold)/;
    return (
      wait.test(error.message ?? '') ||
      /\sto (join( (at|and make|with)|$)|say what they hold)/.test(error.message ?? '')
    );
  }

  /** Something was done to it that can make it silent for long. */
  const isExcused = ({ processes }: World, name: string) =>
    processes.some(({ worker, excused }) => worker === name && excused);

  /** Somebody had ended the run then, which has gone on since with others. */
  const wasStopped = ({ halted }: World, error: unknown) =>
    halted !== undefined && (error as { code?: string }).code === 'ABORTED';

  const isLiar = ({ processes }: World, name: string) =>
    processes.some(({ worker, lies }) => worker === name && lies);

  return {
    violations,
    delivered(host, { message, payload }) {
      if (host.startsWith('worker') && message.session !== '') sessions.set(host, message.session);
      if (message.type === 'pull') {
        const { session, version } = message;
        // By itself, for one of several servers that may lack what it contributed to the step before.
        if (scenario.replicas > 0 && version < (asked.get(session) ?? version))
          for (const [host, of] of sessions) if (of === session) wentBack.add(host);
        asked.set(session, version);
      }
      if (message.type === 'weights') {
        const key = `${message.version}/${message.chunk}`;
        const known = bytes.get(key);
        if (known === undefined) bytes.set(key, payload!.slice());
        else if (Buffer.compare(known, payload!) !== 0)
          violated(`Chunk ${message.chunk} of version ${message.version} has two values`);
        const at = `${host}/${message.chunk}`;
        // What one server has no more is asked of all again, of which others may have sent more unasked.
        const wanted = asked.get(sessions.get(host) ?? '') ?? Number.POSITIVE_INFINITY;
        const isOlder = message.version < Math.min(newest.get(at) ?? -1, wanted);
        if (isOlder && !wentBack.has(host))
          violated(`${host} got version ${message.version} after ${newest.get(at)}`);
        newest.set(at, message.version);
      }
      if (message.type === 'assign' && host.startsWith('worker')) {
        firstAttempt ??= message.attempt;
        if (message.attempt !== firstAttempt) wentBack.add(host);
        for (const shard of message.shards) {
          const key = `${message.job}/${message.session === '' ? host : ''}${message.generation}/${shard}`;
          const owner = assigned.get(key);
          if (owner !== undefined && owner !== host && !isRestarted())
            violated(`Shard ${shard} has two owners in generation ${message.generation}`);
          assigned.set(key, host);
        }
      }
    },
    permitted({ until, known }, { incarnations, interrupted, halted }) {
      const { checkpointEvery, program } = scenario;
      const { examples, batchSize } = program;
      const after = (every: number) => every * (Math.floor(known / every) + 1);
      const border = Math.min(
        after(Math.ceil(examples / batchSize)),
        checkpointEvery === 0 ? Number.POSITIVE_INFINITY : after(checkpointEvery),
      );
      if (until > border)
        violated(`Servers may go on from version ${known} to ${until}, over ${border}`);
      if (until > known + MOST_STEPS_AHEAD)
        violated(`Servers may go on for ${until - known} steps from version ${known}`);
      const ends = halted === undefined && !kinds.has('coordinator crash and restart');
      if (ends && known > (interrupted?.version ?? known))
        violated(`Servers may go on from version ${known}, after somebody has ended the run`);
      const took = timesUntil(known, incarnations.at(-1)!);
      const tookMs = took.reduce((sum, ms) => sum + ms, 0) / took.length;
      if ((until - known) * tookMs > LOOK_AHEAD_MS + 0.001)
        violated(`Servers may go on for ${until - known} steps, each of which took ${tookMs} ms`);
    },
    saved({ step, flat, slots, plan }) {
      saved.add(step);
      const state = Buffer.concat(slots.map(({ buffer }) => new Uint8Array(buffer)));
      const before = reference.states.get(step);
      if (before === undefined) reference.states.set(step, state);
      else if (!before.equals(state)) violated(`The optimizer's state of step ${step} is another`);

      const layout = layoutOf(plan);
      const all = new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength);
      for (let chunk = 0; chunk < layout.chunks; chunk++) {
        const known = bytes.get(`${step}/${chunk}`);
        const from = 4 * chunk * layout.chunkFloats;
        if (known && Buffer.compare(known, all.subarray(from, from + known.length)) !== 0)
          violated(`The checkpoint of step ${step} has another chunk ${chunk}`);
      }
    },
    injected(fault, atMs) {
      kinds.add(fault.kind);
      lastFaultMs = Math.max(lastFaultMs, atMs + (LASTING[fault.kind] ?? 1) * fault.ms);
    },
    ended(world, simulatedMs) {
      const outcome = world.outcome();
      // It may have waited for workers, and all is begun anew.
      lastFaultMs = Math.max(lastFaultMs, (world.halted?.atMs ?? 0) + LONGEST_PAUSE_MS);
      world.incarnations.forEach((events, at) => void checkEvents(events, at === 0));
      if (scenario.colocated && !losesWeights(scenario)) checkKept(world);
      for (const event of world.incarnations.flat())
        if (event.event === 'worker-left' && / not heard /.test(event.reason))
          if (!isExcused(world, event.worker))
            violated(`${event.worker} was dropped, but does not hang`);
      for (const event of world.incarnations.flat())
        if (event.event === 'worker-excluded' && !isLiar(world, event.worker))
          violated(`${event.worker} was excluded, but computes right`);
      checkHalted(world);
      for (const events of world.incarnations) checkSaved(events);
      if (outcome === undefined) return violated(`It stood still at ${simulatedMs} ms`);
      if (outcome.result === undefined) {
        const error = outcome.error as { code?: string; message?: string };
        if (!mayFail(error, world)) violated(`It failed: ${error.code}: ${error.message}`);
        if (simulatedMs > lastFaultMs + DEADLINE_MS + UNDISTURBED_MS)
          violated(`It failed only after ${simulatedMs} ms`);
        return;
      }
      if (outcome.result.digest !== reference.digest) violated('The digest is another');
      const slack = kinds.has('slow worker') || kinds.has('slow link') ? 10 : 1;
      // One that hangs when it meets a size for the first time is waited for that long.
      const patienceMs = kinds.has('hung worker') ? FIRST_TIME_MS : 0;
      if (simulatedMs > lastFaultMs + slack * UNDISTURBED_MS + patienceMs)
        violated(`It took ${simulatedMs} ms; the last fault was over at ${lastFaultMs} ms`);
      const alone = !kinds.has('coordinator crash and restart');
      if (alone && !losesWeights(scenario))
        if (outcome.result.examples !== reference.examples)
          violated(`${outcome.result.examples} examples counted, not ${reference.examples}`);
      const warned = world.incarnations
        .at(-1)!
        .some((each) => each.event === 'warning' && each.code === 'STORAGE');
      if (world.disk.failed() && !warned) violated('A disk error was not told');
      // Who is cut off just then does not hear the last word.
      const endedAt = world.processes.findLast((each) => each.role === 'coordinator')!.endedAt;
      const deaf = kinds.has('connection reset') && (endedAt ?? 0) < lastFaultMs + DEAF_MS;
      const cutOff = deaf || kinds.has('partition that lasts') || kinds.has('isolated host');
      for (const { role, host, ended, dead, excused, joined } of world.processes) {
        if (role !== 'worker' || dead || excused || !joined || !alone) continue;
        if (ended === undefined) {
          if (!deaf) violated(`${host} did not end with the run`);
        } else if (ended.error !== undefined && !cutOff && !wasStopped(world, ended.error))
          violated(`${host} ended with ${String(ended.error)}`);
      }
    },
    stopped(world) {
      const { shards } = scenario.program;
      for (const { role, host, ended, dead, excused, slowMs, memory } of world.processes) {
        if (!dead && ended === undefined && !world.isFrozen(host))
          violated(`${host} did not stop when told to`);
        const sums = 2 * shards + 2;
        const budget =
          scenario.aggregation === 'server'
            ? { worker: shards + 2, coordinator: 0, server: 5 + sums }[role]
            : { worker: shards + 2, coordinator: sums, server: 5 }[role];
        if (memory.peakFloats() > budget * floats)
          violated(`${host} held ${memory.peakFloats()} floats, more than ${budget} x ${floats}`);
        if (role === 'server' || dead || excused || slowMs > 0) continue;
        if (memory.blocks() > 0) violated(`${host} still holds ${memory.blocks()} blocks`);
      }
    },
  };
}

/** How long the latest steps took that a coordinator has done one after the other up to a version. */
function timesUntil(version: number, events: readonly RunEvent[]): number[] {
  const times: number[] = [];
  let next = version;
  for (const event of events.toReversed()) {
    // Once the weights went back it is measured anew.
    if (event.event === 'warning' && / weights went back /.test(event.message)) break;
    if (event.event !== 'step' || event.step > version) continue;
    if (event.step !== next || times.length === MOST_STEPS_AHEAD - 1) break;
    times.push(event.stepMs);
    next--;
  }
  return times;
}
