/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { hostsOf } from './cluster/host-list.js';
export { type Rank, rankFromEnvironment, rankText } from './cluster/rank-from-environment.js';
export { LOCAL_SETTINGS } from './local-options.js';
export { endWithParent } from './processes/end-with-parent.js';
export { type HostedServer, hostServer } from './processes/hosted-server.js';
export { tellOfServer } from './processes/tell-of-server.js';
export { beginTimeline } from './processes/timeline.js';
export {
  SELDOM_MARKING,
  WORKER_NODE_OPTIONS,
  workerEnvironment,
} from './processes/worker-environment.js';
export { guardProgram } from './program/guard.js';
export { type LoadedProgram, loadProgram } from './program/load-program.js';
export {
  type Replay,
  type ReplayedStep,
  type ReplayInit,
  replay,
} from './single-process/replay.js';
