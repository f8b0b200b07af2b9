import type { Kernels } from '@tutti/kernels';
import { createLanding } from '@tutti/reduction';
import { createStep, type Recorder, type Step } from '@tutti/run';
import type { Timeline } from '@tutti/runtime';
import type { Servers } from '../servers/servers.js';
import { createSumsInFlight } from '../servers/sums-in-flight.js';
import type { Job } from '../state/job.js';
import { createLedger, type Ledger } from '../state/ledger.js';
import type { Exclude } from '../verify/exclusion.js';
import { noNode, offerOf } from '../verify/misfits.js';
import type { Verifier } from '../verify/verifier.js';
import type { Membership } from '../workers/membership.js';
import type { Aggregation } from './aggregation.js';

/** Contributions come here and are added here; a server is sent the sums of its chunks. */
export function createAggregationAtCoordinator(init: {
  readonly job: Pick<Job, 'plan' | 'layout'>;
  readonly servers: Servers;
  readonly kernels: Kernels;
  readonly recorder: Pick<Recorder, 'applied'>;
  readonly membership: Pick<Membership, 'attempt'>;
  readonly verifier: Pick<Verifier, 'digestOf' | 'contributed'>;
  readonly timeline: Timeline;
  readonly exclude: Exclude;
  /** Something has come in: servers may have to apply it. */
  readonly pump: () => void;
}): Aggregation {
  const { kernels, membership, verifier, timeline, exclude, pump } = init;
  const { plan, layout } = init.job;
  const landing = createLanding(kernels);
  const sums = createSumsInFlight(init.servers, layout, init.recorder.applied);
  let ledger: Ledger<Step> | undefined;

  return {
    begin(version, most) {
      const create = (step: number) => createStep({ step, plan, layout, kernels });
      ledger = createLedger({ plan, version, most, createStep: create });
      return ledger;
    },
    give(rate) {
      const step = ledger?.current();
      step?.give((ready) => {
        const since = timeline.now();
        sums.send(step.step, ready, rate);
        timeline.passed('give', since, step.step, ready.chunk);
      }, sums.admits);
    },
    allow() {},
    landing: (chunk, bytes) =>
      ledger !== undefined && chunk < layout.chunks && bytes === 4 * layout.chunkLength(chunk)
        ? landing.place(layout.chunkLength(chunk))
        : undefined,
    contributed(member, contribution, payload) {
      // Its memory may have been used for something else while it was on its way.
      if (contribution.attempt !== membership.attempt()) return;
      const step = ledger?.step(contribution.step);
      if (step === undefined) return;
      // Before it is added to: nothing is left of it then.
      const digest = verifier.digestOf(contribution.step, payload);
      const since = timeline.now();
      const offer = offerOf(() => step.contribute(contribution, landing.take(payload) ?? payload));
      timeline.passed('sum', since, contribution.step, contribution.chunk);
      if (offer === 'no-node' || offer === 'no-sum')
        return exclude(member, contribution.step, noNode(member, contribution, payload.byteLength));
      if (digest !== undefined && (offer === 'held' || offer === 'complete'))
        verifier.contributed(member, contribution, digest);
      pump();
    },
    applied(server, step, chunk) {
      if (sums.applied(server, step, chunk)) ledger?.step(step)?.applied(chunk);
    },
    gathered() {},
    advanced() {},
    misfit() {},
    crewed() {},
    ask() {},
    outstanding: sums.outstanding,
    unanswered: (server) => sums.outstanding(server) > 0,
    forget(server) {
      for (const chunk of sums.forget(server)) ledger?.current()?.applied(chunk);
    },
    compare() {},
    resend: sums.resend,
    clear: sums.clear,
    release() {
      ledger = undefined;
      landing.release();
    },
  };
}
