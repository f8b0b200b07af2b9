import { hostname } from 'node:os';
import { createKernels } from '@tutti/kernels';
import type { Listener, ListenHandlers, Transport } from '@tutti/protocol';
import { beginAgain, type JobResult, resolvePlan } from '@tutti/run';
import {
  createMonitor,
  type Monitor,
  NO_TIMELINE,
  type Stampable,
  systemClock,
  TuttiError,
  type WaitReport,
} from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createFormerServers } from '../alignment/former-servers.js';
import { createHoldings } from '../alignment/holdings.js';
import { aggregationOf } from '../check-settings.js';
import type { FoundCheckpoint } from '../checkpoints/starting-point.js';
import type { CoordinatorInit } from '../coordinator-init.js';
import type { Deadlines } from '../coordinator-settings.js';
import { connectServers, type Servers } from '../servers/servers.js';
import { createJobIdentity, stampOf } from '../state/job.js';
import { createStatusAnswerer } from '../status/status-answerer.js';
import { DEADLINES, DEFAULT_WORKERS, namesakeMs } from '../tunables.js';
import { createCrewSize } from '../workers/crew-size.js';
import { createMail } from '../workers/mail.js';
import { createMembership, type Membership } from '../workers/membership.js';
import { createWorkerTimings } from '../workers/timings.js';
import { createAnnouncer } from './announcer.js';
import { createJobRun, type JobRun } from './job-run.js';
import { createLifetime } from './lifetime.js';
import { createPeerEvents, type PeerEvents } from './peer-events.js';
import { createPhases } from './phases.js';
import { createRoutes, type Routes } from './routes.js';
import { runToEnd } from './run-to-end.js';
import { createServerEvents } from './server-events.js';
import { gatherStrays } from './stray-connections.js';

/** One job, from the first worker to the trained weights: makes its parts, and closes them. */
export function coordinate(
  init: CoordinatorInit & { readonly transport: Transport },
  listener: Listener,
  announceEvent: (event: Stampable<RunEvent>) => void,
  signal: AbortSignal,
): { readonly handlers: ListenHandlers; run(): Promise<JobResult> } {
  const { transport, clock = systemClock, kernels = createKernels() } = init;
  const { newId = () => crypto.randomUUID(), settings, interrupt, workerObserver } = init;
  const { timeline = NO_TIMELINE } = init;
  const { replicas = 0, strict = false, verify = 0 } = settings;
  const colocated = init.servers === 'colocated';
  const aggregation = aggregationOf(settings, colocated);
  const deadlines: Deadlines = { ...DEADLINES, ...settings.deadlines };
  const identity = createJobIdentity(newId());
  const { emit, observations, told } = createAnnouncer(clock, identity, announceEvent);
  const onWaiting = (report: WaitReport) => emit({ event: 'waiting', ...report });
  const monitor: Monitor = createMonitor({ clock, signal, onWaiting });
  const lifetime = createLifetime(monitor);
  const stamp = stampOf(identity, '');
  const self = `the coordinator at ${listener.address} (process ${process.pid} on ${hostname()})`;
  const inquiry = { type: 'inquire', by: self } as const;
  let current: JobRun | undefined;
  const run = () => current;
  const common = {
    identity,
    aggregation,
    lifetime,
    monitor,
    clock,
    deadlines,
    emit,
    observations,
    run,
  };

  const servers: Servers = connectServers({
    ...(colocated
      ? { servers: [], hosted: settings.workers ?? DEFAULT_WORKERS }
      : { servers: init.servers }),
    ...{ replicas, transport, clock, inquiry },
    // By this they tell this coordinator from any other.
    stamp: stampOf(identity, newId()),
    events: createServerEvents({
      ...common,
      servers: () => servers,
      membership: () => membership,
      routes: () => routes,
    }),
  });
  const timings = createWorkerTimings();
  const emitStray = gatherStrays(emit, clock);
  const mail = createMail({
    ...{ listener, stamp, emit: emitStray },
    // Its process ends, or is of another program.
    refused: servers.hosts.withdrawn,
  });
  const crewSize = createCrewSize(settings, () => identity.job()?.plan);
  const { workers = 1 } = settings;
  const request = { settings, workers, servers: servers.width };
  const membership: Membership = createMembership({
    ...{ ...common, listener, mail, timings, crewSize, newId, strict },
    hosts: servers.hosts,
    observer: workerObserver,
    namesakeMs: namesakeMs(transport),
    plan: () => identity.job()?.plan,
    settle: (description) =>
      identity.job() ?? identity.settle(resolvePlan({ description, ...request })),
    servers: ({ layout }) => servers.places(layout),
    lost: () => current?.training.workerLost(),
    crewed: (attempt, crew) => current?.training.aggregation.crewed(attempt, crew),
    ledger: () => current?.training.ledger(),
  });
  const holdings = createHoldings({ ...common, servers });
  const routes: Routes = createRoutes({
    ...{ ...common, membership, servers, holdings, emit: emitStray },
  });
  const formerServers = createFormerServers({
    ...{ ...common, hosts: servers.hosts, sink: init.checkpoints, address: listener.address },
    described: () => peers.described(),
  });
  const phases = createPhases({
    formerServers: colocated ? formerServers : undefined,
    ...{ ...common, holdings, membership, resume: init.resume, interrupt, request },
    servers: servers.width,
    replicas,
    gone: () => servers.gone().map(servers.nameOf).join(', '),
    described: () => peers.described(),
    identified: () => peers.identified(),
    started: () => workerObserver?.started(),
    begin,
  });
  const statuses = createStatusAnswerer({
    ...{ listener, stamp, told, refuse: membership.refuse },
    view: () => ({
      ...{ identity, servers, monitor, observations, timings, clock },
      phase: phases.phase(),
      ledger: current?.training.ledger(),
      members: membership,
      awaiting: current?.awaiting ?? [holdings],
      startsWith: crewSize.start(),
    }),
  });
  const peers: PeerEvents = createPeerEvents({
    ...{ ...common, membership, routes, statuses, emitStray, hosts: servers.hosts },
  });

  function begin(found: FoundCheckpoint | undefined): JobRun {
    const job = identity.job();
    if (job === undefined)
      throw new TuttiError('INTERNAL', 'There is no job to begin', { remedy: 'Report it.' });
    // Of a run that is interrupted nobody may have joined who was told them.
    servers.ranges(job.layout);
    current = createJobRun({
      ...{ ...common, job, servers, membership, timings, kernels, found, verify, interrupt },
      timeline,
      address: listener.address,
      sink: init.checkpoints,
      beginAgain: init.beginAgain ?? beginAgain,
    });
    return current;
  }

  return {
    handlers: peers.handlers,
    run: () =>
      runToEnd({
        ...{
          ...common,
          phases,
          membership,
          statuses,
          servers,
          listener,
          transport,
          interrupt,
          onWaiting,
          workerObserver,
        },
        sink: init.checkpoints,
      }),
  };
}
