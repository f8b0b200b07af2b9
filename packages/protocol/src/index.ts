export { decode, encode, MAX_HEADER_BYTES } from './codec.js';
export type {
  Connection,
  ConnectionHandlers,
  Envelope,
  Listener,
  ListenHandlers,
  Traffic,
  Transport,
} from './link.js';
export * from './messages.js';
export type {
  JobPlan,
  OptimizerSpec,
  ProgramDefaults,
  ProgramDescription,
  Schedule,
  StoredParameter,
} from './plan.js';
