/** What other packages of Tutti use, and nobody else: it may change with any version. */

import type { HostedServer, hostServer as host } from './processes/hosted-server.js';
import type { LoadedProgram, loadProgram as load } from './program/load-program.js';
import type { Replay, ReplayInit } from './single-process/replay.js';

export { hostsOf } from './cluster/host-list.js';
export { type Rank, rankFromEnvironment, rankText } from './cluster/rank-from-environment.js';
export { endWithParent } from './processes/end-with-parent.js';
export { type PreparedChildren, prepareChildren } from './processes/forked.js';
export type { HostedServer } from './processes/hosted-server.js';
export { tellOfServer } from './processes/tell-of-server.js';
export { beginTimeline } from './processes/timeline.js';
export {
  SELDOM_MARKING,
  WORKER_NODE_OPTIONS,
  workerEnvironment,
} from './processes/worker-environment.js';
export { guardProgram } from './program/guard.js';
export type { LoadedProgram } from './program/load-program.js';
export type { Replay, ReplayedStep, ReplayInit } from './single-process/replay.js';

// A command that starts others first wants to have done so before it loads what the roles need.

/** `loadProgram` of program/load-program.ts. */
export async function loadProgram(...args: Parameters<typeof load>): Promise<LoadedProgram> {
  const loading = await import('./program/load-program.js');
  return loading.loadProgram(...args);
}

/** `hostServer` of processes/hosted-server.ts. */
export async function hostServer(...args: Parameters<typeof host>): Promise<HostedServer> {
  const hosting = await import('./processes/hosted-server.js');
  return hosting.hostServer(...args);
}

/** `replay` of single-process/replay.ts. */
export async function replay(init: ReplayInit): Promise<Replay> {
  const replaying = await import('./single-process/replay.js');
  return replaying.replay(init);
}
