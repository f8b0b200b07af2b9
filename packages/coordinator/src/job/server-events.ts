import type { Monitor } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { type ServerEvents, type Servers, serverLost } from '../servers/servers.js';
import type { JobIdentity } from '../state/job.js';
import type { Membership } from '../workers/membership.js';
import type { JobRun } from './job-run.js';
import type { Lifetime } from './lifetime.js';
import type { Routes } from './routes.js';

/** What the job makes of what happens at its servers. Its parts are there once one is connected. */
export function createServerEvents(init: {
  readonly lifetime: Lifetime;
  readonly monitor: Pick<Monitor, 'fail'>;
  readonly identity: Pick<JobIdentity, 'job'>;
  readonly servers: () => Pick<Servers, 'nameOf' | 'places'>;
  readonly membership: () => Pick<Membership, 'tellAll'>;
  readonly routes: () => Pick<Routes, 'fromServer'>;
  /** What works on the job, once it is settled and has its workers. */
  readonly run: () => JobRun | undefined;
  readonly emit: (event: RunEvent) => void;
}): ServerEvents {
  const { lifetime, monitor, identity, servers, membership, run, emit } = init;

  /** Tells the workers where each range is now. */
  function relocate() {
    const job = identity.job();
    if (job !== undefined)
      membership().tellAll({ type: 'relocated', servers: servers().places(job.layout) });
  }

  /** They have been told the same. */
  function othersGoOn(server: number, reason: string) {
    emit(serverLost(servers().nameOf(server), reason, 'Another holds the same, and goes on.'));
    run()?.alignment.forget(server);
    relocate();
    run()?.training.aggregation.forget(server);
    run()?.training.catchUp.again();
    run()?.finalWeights.again();
  }

  return {
    receive: (server, envelope) => lifetime.guard(() => init.routes().fromServer(server, envelope)),
    replaced: (server, reason) => lifetime.guard(() => othersGoOn(server, reason)),
    orphaned(server, reason) {
      if (lifetime.ended()) return;
      run()?.supervisor.serverAway(server);
      emit(serverLost(servers().nameOf(server), reason, 'It is awaited.'));
    },
    unreached: () => lifetime.guard(() => {}),
    refused(error) {
      if (!lifetime.ended()) monitor.fail(error);
    },
    gone: (server) => lifetime.guard(() => run()?.training.catchUp.forget(server)),
    moved(server, from) {
      if (lifetime.ended()) return;
      const then = `Its range is held by ${servers().nameOf(server)} from now on.`;
      emit(serverLost(`the server at ${from}`, 'its process does not answer', then));
      relocate();
      lifetime.guard(() => run()?.alignment.moved());
    },
  };
}
