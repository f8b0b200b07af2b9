import { createKernels } from '@tutti/kernels';
import type { Aggregation } from '@tutti/protocol';
import { createReferences } from './references.js';
import { complete, REGRESSIONS } from './regressions.js';
import { runScenario, type ScenarioReport } from './run-scenario.js';
import { arranged, colocated, type FaultKind, type Scenario, scenarioOf } from './scenario.js';

export interface SweepReport {
  readonly runs: number;
  readonly failures: readonly ScenarioReport[];
  readonly injected: ReadonlyMap<FaultKind, number>;
  /** Runs that had to fail, or were allowed to, by the code of their error. */
  readonly failed: ReadonlyMap<string, number>;
  readonly simulatedMs: number;
}

type Trace = (line: string) => void;

/** Runs one scenario after the other; what they share is made once. */
export function createRunner(trace?: Trace): (scenario: Scenario) => Promise<ScenarioReport> {
  const kernels = createKernels();
  const referenceOf = createReferences();
  return async (scenario) => {
    const reference = await referenceOf(scenario.program);
    trace?.(JSON.stringify(scenario));
    const { stackTraceLimit } = Error;
    // Many errors are made in a run, and nobody reads where.
    if (trace === undefined) Error.stackTraceLimit = 0;
    try {
      return await runScenario({ scenario, reference, kernels, ...(trace && { trace }) });
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

/** Runs the scenarios of all seeds from `first` to `last`. */
export async function sweep(init: {
  readonly first: number;
  readonly last: number;
  readonly trace?: Trace | undefined;
  /** Where the sums of all runs are made; drawn if it is not said. */
  readonly aggregation?: Aggregation | undefined;
  /** Has all runs with a server in the process of each worker; drawn if it is not said. */
  readonly colocated?: boolean | undefined;
  /** Ends at the first failure; after the seeds, all that was found before is tried. */
  readonly stopAtFailure?: boolean;
  readonly failureFound?: (report: ScenarioReport) => void;
}): Promise<SweepReport> {
  const { first, last, trace } = init;
  const run = createRunner(trace);
  const injected = new Map<FaultKind, number>();
  const failed = new Map<string, number>();
  const failures: ScenarioReport[] = [];
  let [runs, simulatedMs] = [0, 0];
  for (const drawn of scenarios(first, last, init.stopAtFailure === true)) {
    const { aggregation } = init;
    const placed = aggregation === undefined ? drawn : arranged(drawn, aggregation);
    const scenario = init.colocated === true ? colocated(placed) : placed;
    const report = await run(scenario);
    runs++;
    simulatedMs += report.simulatedMs;
    for (const kind of report.injected) injected.set(kind, (injected.get(kind) ?? 0) + 1);
    if (report.violations.length > 0) {
      failures.push(report);
      init.failureFound?.(report);
      if (init.stopAtFailure) break;
    } else if (report.failed !== undefined)
      failed.set(report.failed, (failed.get(report.failed) ?? 0) + 1);
  }
  return { runs, failures, injected, failed, simulatedMs };
}

function* scenarios(first: number, last: number, known: boolean): Generator<Scenario> {
  for (let seed = first; seed <= last; seed++) yield scenarioOf(seed);
  if (known) for (const { scenario } of REGRESSIONS) yield complete(scenario);
}
