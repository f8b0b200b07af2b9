export { type Answers, answer, unexpected } from './answers.js';
export { evaluationBatchSizes, microBatchSize } from './batch-sizes.js';
export { checkSteering } from './check-steering.js';
export { checkSendable, decode, decodeHeader, encode, MAX_HEADER_BYTES } from './codec.js';
export {
  DATA_REMEDY,
  type DataDifference,
  type DataIdentity,
  type DatasetIdentity,
  dataDifference,
  EXAMPLE_DIGEST,
  type FieldIdentity,
} from './data-identity.js';
export { digestOfBytes } from './digest.js';
export type * from './directions.js';
export { planFault } from './fields.js';
export { type KeptConnection, keepConnected } from './keep-connected.js';
export {
  type ConnectFault,
  type Connection,
  type ConnectionHandlers,
  type Enclosed,
  type Envelope,
  type Listener,
  type ListenHandlers,
  MAX_PAYLOAD_BYTES,
  type PlacePayload,
  type Traffic,
  type Transport,
} from './link.js';
export * from './messages.js';
export {
  directionOf,
  METRIC_DIRECTIONS,
  type MetricDirection,
  type MetricDirections,
} from './metric-direction.js';
export { METRIC_FORMS, type MetricForm, type MetricForms } from './metric-form.js';
export {
  type EarlyStopping,
  evaluatesAt,
  examplesOf,
  type FirstWeights,
  GRADIENT_COMPRESSIONS,
  type GradientCompression,
  type JobPlan,
  type OptimizerSpec,
  type ProgramDefaults,
  type ProgramDescription,
  type ReduceOnPlateau,
  type Schedule,
  type StoredParameter,
  type Watched,
} from './plan.js';
export { keyRefusal, refusal } from './refusal.js';
export * from './status.js';
export { permittedOrder, type StepOrder } from './step-order.js';
export * from './tunables.js';
