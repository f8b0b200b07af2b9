import type { Advance, Permit } from './messages.js';
import { examplesOf, type JobPlan } from './plan.js';

/** How a server applies its sums of a step, whichever chunks they are of. */
export type StepOrder = Omit<Advance, 'type' | 'chunks'>;

/** What the coordinator would order of a step that it has permitted. */
export function permittedOrder(plan: JobPlan, { rate, recorded }: Permit, step: number): StepOrder {
  const order = { step, count: examplesOf(plan, step), scale: 1, recorded };
  return rate === undefined ? order : { ...order, rate };
}
