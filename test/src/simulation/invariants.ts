import type { Envelope } from '@tutti/protocol';
import type { RunEvent } from '@tutti/telemetry';
import { PADDING, type Reference } from './references.js';
import type { Fault, FaultKind, Scenario } from './scenario.js';
import type { World } from './world.js';

/** What must hold of every run, whatever is done to it. */
export interface Invariants {
  readonly violations: string[];
  delivered(host: string, envelope: Envelope): void;
  injected(fault: Fault, atMs: number): void;
  /** The coordinator has ended, and the others had time to. */
  ended(world: World, simulatedMs: number): void;
  /** All were told to stop, and had time to. */
  stopped(world: World): void;
}

/** After these a run may be left with fewer workers than it needs. */
const LOSING: readonly FaultKind[] = [
  'worker crash',
  'worker crash and restart',
  'partition that lasts',
  'corrupt frame',
  'stale session',
];
/** The longest deadline of a wait, and some time for what comes after it. */
const DEADLINE_MS = 120_000 + 20_000;
/** An undisturbed run of any scenario takes less. */
const UNDISTURBED_MS = 60_000;

export function createInvariants(scenario: Scenario, reference: Reference): Invariants {
  const violations: string[] = [];
  const kinds = new Set<FaultKind>();
  let lastFaultMs = 0;
  const bytes = new Map<string, Uint8Array>();
  const newest = new Map<string, number>();
  const assigned = new Map<string, string>();
  const violated = (text: string) => {
    if (violations.length < 20) violations.push(text);
  };
  const floats =
    scenario.program.features + 1 + (scenario.program.chunkFloats === undefined ? 0 : PADDING);

  function checkEvents(events: readonly RunEvent[], first: boolean) {
    const restarted = kinds.has('server crash and restart');
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

  /** Whether a run that was struck like this may fail with this error. */
  function mayFail(error: { code?: string; message?: string }, world: World): boolean {
    if (error.code === 'DEADLINE' && kinds.has('hung worker')) return true;
    const events = world.incarnations.at(-1)!;
    const fewest = Math.min(
      ...events.map((each) => (each.event === 'worker-left' ? each.workers : Infinity)),
    );
    const losing = LOSING.some((kind) => kinds.has(kind));
    if (!losing) return false;
    if (error.code === 'PEER_LOST') return fewest < scenario.minWorkers;
    // Before the first step of a coordinator all have to come.
    return error.code === 'DEADLINE' && / to join (at|and make) /.test(error.message ?? '');
  }

  return {
    violations,
    delivered(host, { message, payload }) {
      if (message.type === 'weights') {
        const key = `${message.version}/${message.chunk}`;
        const known = bytes.get(key);
        if (known === undefined) bytes.set(key, payload!.slice());
        else if (Buffer.compare(known, payload!) !== 0)
          violated(`Chunk ${message.chunk} of version ${message.version} has two values`);
        const at = `${host}/${message.chunk}`;
        if ((newest.get(at) ?? -1) > message.version && !kinds.has('server crash and restart'))
          violated(`${host} got version ${message.version} after ${newest.get(at)}`);
        newest.set(at, message.version);
      }
      if (message.type === 'assign' && host.startsWith('worker')) {
        for (const shard of message.shards) {
          const key = `${message.job}/${message.session === '' ? host : ''}${message.generation}/${shard}`;
          const owner = assigned.get(key);
          if (owner !== undefined && owner !== host && !kinds.has('coordinator crash and restart'))
            violated(`Shard ${shard} has two owners in generation ${message.generation}`);
          assigned.set(key, host);
        }
      }
    },
    injected(fault, atMs) {
      kinds.add(fault.kind);
      lastFaultMs = Math.max(lastFaultMs, atMs + fault.ms);
    },
    ended(world, simulatedMs) {
      const { outcome } = world;
      world.incarnations.forEach((events, at) => void checkEvents(events, at === 0));
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
      if (simulatedMs > lastFaultMs + slack * UNDISTURBED_MS && !kinds.has('hung worker'))
        violated(`It took ${simulatedMs} ms; the last fault was over at ${lastFaultMs} ms`);
      const alone = !kinds.has('coordinator crash and restart');
      if (alone && !kinds.has('server crash and restart'))
        if (outcome.result.examples !== reference.examples)
          violated(`${outcome.result.examples} examples counted, not ${reference.examples}`);
      const warned = world.incarnations
        .at(-1)!
        .some((each) => each.event === 'warning' && each.code === 'STORAGE');
      if (world.savingFailed && !warned) violated('A disk error was not told');
      for (const { role, host, ended, dead, excused, joined } of world.processes) {
        if (role !== 'worker' || dead || excused || !joined || !alone) continue;
        if (ended === undefined) violated(`${host} did not end with the run`);
        else if (ended.error !== undefined && !kinds.has('partition that lasts'))
          violated(`${host} ended with ${String(ended.error)}`);
      }
    },
    stopped(world) {
      const { shards } = scenario.program;
      for (const { role, host, ended, dead, excused, slowMs, memory } of world.processes) {
        if (!dead && ended === undefined) violated(`${host} did not stop when told to`);
        const budget = { worker: shards + 2, coordinator: 2 * shards + 2, server: 5 }[role];
        if (memory.peakFloats > budget * floats)
          violated(`${host} held ${memory.peakFloats} floats, more than ${budget} x ${floats}`);
        if (role === 'server' || dead || excused || slowMs > 0) continue;
        if (memory.blocks > 0) violated(`${host} still holds ${memory.blocks} blocks`);
      }
    },
  };
}
