import type { Kernels } from '@tutti/kernels';
import type { Envelope } from '@tutti/protocol';
import type { Snapshot } from '@tutti/run';
import { TuttiError } from '@tutti/runtime';
import { INJECTIONS } from './faults.js';
import { createInvariants } from './invariants.js';
import type { Reference } from './references.js';
import type { FaultKind, Scenario } from './scenario.js';
import { createWorld, type Process, type World } from './world.js';

export interface ScenarioReport {
  readonly seed: number;
  /** What must hold and did not; empty if all is well. */
  readonly violations: readonly string[];
  readonly injected: readonly FaultKind[];
  readonly simulatedMs: number;
  /** The code of the error of a run that had to fail, or was allowed to. */
  readonly failed: string | undefined;
}

/** A run of a tiny program takes a few hundred ticks; one that waits for deadlines, some thousand. */
const MOST_TICKS = 60_000;
/** Simulated time that the processes have to end by themselves, and then when they are told to. */
const ENDING_MS = 5000;

/** Runs one scenario, doing its faults, and holds it to the invariants. */
export async function runScenario(init: {
  readonly scenario: Scenario;
  readonly reference: Reference;
  readonly kernels: Kernels;
  readonly trace?: (line: string) => void;
}): Promise<ScenarioReport> {
  const { scenario, reference, kernels, trace } = init;
  const invariants = createInvariants(scenario, reference);
  let now = () => '0.0';
  const observe = (host: string, from: string, envelope: Envelope) => {
    const { message } = envelope;
    invariants.delivered(host, envelope);
    if (message.type === 'permit') invariants.permitted(message, world);
    trace?.(`${now()} ${from} -> ${host} ${JSON.stringify(message).slice(0, 300)}`);
  };
  const saved = (snapshot: Snapshot) => invariants.saved(snapshot);
  const world: World = await createWorld({
    scenario,
    program: reference.program,
    kernels,
    observe,
    saved,
  });
  now = () => world.clock.now().toFixed(1);
  const faults = [...scenario.faults];
  const injected: FaultKind[] = [];

  let tick = 0;
  for (; world.outcome() === undefined && tick < MOST_TICKS; tick++) {
    await turn();
    while (faults.length > 0 && faults[0]!.at <= tick && world.outcome() === undefined) {
      const fault = faults.shift()!;
      if (INJECTIONS[fault.kind]?.(world, fault) !== true) continue;
      injected.push(fault.kind);
      invariants.injected(fault, world.clock.now());
      trace?.(`!! ${world.clock.now().toFixed(1)} ms: ${fault.kind} ${JSON.stringify(fault)}`);
      // What follows from a fault at once, such as the word of who leaves, comes before the next.
      await turn();
    }
    if (world.outcome() === undefined && !world.clock.step()) break;
  }
  const simulatedMs = world.clock.now();
  trace?.(`== ${simulatedMs.toFixed(1)} ms: ${String(world.outcome()?.error ?? 'finished')}`);

  await settle(world);
  invariants.ended(world, simulatedMs);
  for (const { stopping } of world.processes) stopping.abort(STOPPED);
  await settle(world);
  invariants.stopped(world);
  for (const { memory } of world.processes) memory.reclaim();

  const error = world.outcome()?.error as { code?: string } | undefined;
  const failed = error === undefined ? undefined : (error.code ?? String(error));
  return { seed: scenario.seed, violations: invariants.violations, injected, simulatedMs, failed };
}

/** Lets time pass until all processes have ended, but not more than they are given. */
async function settle({ clock, processes, isFrozen }: World): Promise<void> {
  const until = clock.now() + ENDING_MS;
  for (let tick = 0; tick < MOST_TICKS; tick++) {
    await turn();
    const isDone = ({ dead, ended, host }: Process) =>
      dead || ended !== undefined || isFrozen(host);
    if (processes.every(isDone)) return;
    const due = clock.nextDue();
    if (due === undefined || due > until) return;
    clock.step();
  }
}

/** Without a reason of its own each of them would make an exception. */
const STOPPED = new TuttiError('ABORTED', 'The run is over', { remedy: 'None.' });

/** Everything that follows from the last timer, promises included, comes before the next. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
