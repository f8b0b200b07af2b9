import type { Steering } from '@tutti/run';
import type { SumsInFlight } from '../servers/sums-in-flight.js';
import type { Ledger } from '../state/ledger.js';
import type { Verifier } from '../verify/verifier.js';

/** Has the servers apply the sums of the step under way, as soon as they may. */
export interface SumPump {
  /** Sends what is ready and has room on its way. */
  pump(): void;
  /** A server has applied a sum. */
  applied(server: number, step: number, chunk: number): void;
  /** A server is gone for good: what was awaited of it is not. */
  forget(server: number): void;
}

export function createSumPump(init: {
  /** What is trained; undefined while nothing is. */
  readonly ledger: () => Ledger | undefined;
  readonly sums: SumsInFlight;
  readonly verifier: Pick<Verifier, 'cleared'>;
  readonly steering: Pick<Steering, 'rate'>;
  /** Whether the run ends before the step under way. */
  readonly halted: () => boolean;
}): SumPump {
  const { ledger, sums, verifier, steering, halted } = init;
  return {
    pump() {
      if (ledger()?.stepPermitted() !== true || halted()) return;
      const step = ledger()?.current();
      if (step === undefined || !verifier.cleared(step.step, step.missing)) return;
      step.give((ready) => sums.send(step.step, ready, steering.rate()), sums.admits);
    },
    applied(server, step, chunk) {
      if (sums.applied(server, step, chunk)) ledger()?.step(step)?.applied(chunk);
    },
    forget(server) {
      for (const chunk of sums.forget(server)) ledger()?.current()?.applied(chunk);
    },
  };
}
