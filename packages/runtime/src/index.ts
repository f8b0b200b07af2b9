export {
  type Clock,
  createSimulatedClock,
  type SimulatedClock,
  systemClock,
  type Timer,
} from './clock.js';
export {
  type ErrorCode,
  type ErrorRecord,
  errorFromRecord,
  errorToRecord,
  TuttiError,
  toTuttiError,
} from './errors.js';
export { createRandom, type Random, type RandomKey } from './random.js';
