import { type Kernels, pageAlignedFloats } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { Apply, JobPlan } from '@tutti/protocol';
import { createStep, type ResumePoint, type Totals } from '@tutti/run';
import { NO_TIMELINE, type Timeline } from '@tutti/runtime';
import { createOptimizer, createStore, type Store } from '@tutti/store';
import type { ParameterValues } from '@tutti/worker';
import type { ProgramRunner } from '@tutti/worker/internal';

/** The steps of the plain loop: all micro-batches, the tree of additions, the update, in this process. */
export interface PlainSteps {
  readonly store: Store;
  /** How many states of a parameter the optimizer keeps. */
  readonly slots: number;
  /** The stored parameters at the version come to; always the same memory. */
  readonly flat: Float32Array;
  readonly weights: ParameterValues;
  /** Makes version `version + 1` out of `version`; `rate` is a factor of the learning rate. */
  step(version: number, rate?: number): Promise<Totals>;
  /** Copies of the optimizer's state, each as long as `flat`. */
  state(): Float32Array[];
}

export async function createPlainSteps(init: {
  readonly plan: JobPlan;
  readonly layout: Layout;
  readonly kernels: Kernels;
  readonly runner: ProgramRunner;
  /** Where to begin, if not at version 0. */
  readonly point: Pick<ResumePoint, 'step' | 'flat' | 'slots'> | undefined;
  /** Is shown each sum that is applied. */
  readonly applied: (apply: Apply, sum: Uint8Array) => void;
  readonly timeline?: Timeline;
}): Promise<PlainSteps> {
  const { plan, layout, kernels, runner, point, timeline = NO_TIMELINE } = init;
  const all = Array.from({ length: layout.chunks }, (_, chunk) => chunk);
  const optimizer = createOptimizer(plan.optimizer);
  const store = createStore({ kernels, optimizer, ...layout.range(0, layout.chunks) });
  const flat = pageAlignedFloats(layout.floats);
  flat.set(point?.flat ?? (await runner.initialize()));
  const bytes = new Uint8Array(flat.buffer);
  for (const chunk of all) {
    const from = chunk * layout.chunkFloats;
    const part = (vector: Float32Array) => vector.subarray(from, from + layout.chunkLength(chunk));
    if (point === undefined) store.initialize(chunk, part(flat));
    else store.restore(chunk, point.step, part(flat), point.slots.map(part));
  }
  const weights = layout.views(flat);

  return {
    store,
    slots: optimizer.slots,
    flat,
    weights,
    state() {
      const slots = Array.from({ length: optimizer.slots }, () => new Float32Array(layout.floats));
      for (const chunk of all)
        for (const [at, values] of store.slots(chunk).entries())
          slots[at]!.set(values, chunk * layout.chunkFloats);
      return slots;
    },
    async step(version, rate = 1) {
      const begun = timeline.now();
      const step = createStep({ step: version, plan, layout, kernels });
      for (let shard = 0; shard < plan.shards; shard++) {
        const microBatch = await runner.read(version, shard);
        const node = {
          type: 'contribution',
          step: version,
          lo: shard,
          hi: shard + 1,
          attempt: '',
        } as const;
        const report = await runner.gradient(weights, microBatch, (chunk, values) => {
          const since = timeline.now();
          step.contribute({ ...node, chunk }, values);
          timeline.passed('sum', since, version, chunk);
        });
        step.report('main', report);
      }
      step.give(({ chunk, sum, count, scale }) => {
        const factor = rate === 1 ? {} : { rate };
        init.applied({ type: 'apply', step: version, chunk, count, scale, ...factor }, sum.bytes);
        const since = timeline.now();
        store.apply(version, chunk, sum, count, scale, rate);
        bytes.set(store.read(chunk, version + 1)!, 4 * chunk * layout.chunkFloats);
        timeline.passed('update', since, version, chunk);
        step.applied(chunk);
      });
      timeline.passed('step', begun, version);
      return step.totals();
    },
  };
}
