export { assignShards } from './assignment.js';
export { isChecked } from './checks.js';
export {
  type Coordinator,
  type CoordinatorInit,
  createCoordinator,
  type Deadlines,
  type RunningCoordinator,
} from './coordinator.js';
export { type JobSettings, resolvePlan } from './plan.js';
export { createProgress, endsEpoch, type Progress } from './progress.js';
export { digestOf, finishedEvent, type JobResult } from './result.js';
export type { ServerAddress } from './servers.js';
export { createStep, type Step } from './step.js';
export { meansOf, type Totals, totalOf } from './totals.js';
