import {
  type Answers,
  answer,
  type Envelope,
  type Join,
  PROTOCOL_VERSION,
  refusal,
  type ServerToCoordinator,
  type Stamp,
  unexpected,
  type WorkerToCoordinator,
} from '@tutti/protocol';
import { errorFromRecord, errorToRecord, TuttiError } from '@tutti/runtime';
import { type RunEvent, warningOf } from '@tutti/telemetry';
import type { Holdings } from '../alignment/holdings.js';
import type { Servers } from '../servers/servers.js';
import type { JobIdentity } from '../state/job.js';
import type { Observations } from '../status/observations.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import type { JobRun } from './job-run.js';

/** Hands each message to the part of the job that answers it. */
export interface Routes {
  fromServer(server: number, envelope: Envelope): void;
  fromWorker(peer: string, envelope: Envelope): void;
}

export function createRoutes(init: {
  readonly identity: JobIdentity;
  readonly membership: Membership;
  readonly servers: Pick<Servers, 'send' | 'nameOf' | 'isGivenUp'>;
  readonly holdings: Holdings;
  readonly observations: Observations;
  readonly emit: (event: RunEvent) => void;
  /** What works on the job, once it is settled and has its workers. */
  readonly run: () => JobRun | undefined;
}): Routes {
  const { identity, membership, servers, holdings, observations, emit, run } = init;

  const serverAnswers: Answers<ServerToCoordinator, number> = {
    holding(server, message) {
      run()?.supervisor.serverBack(server);
      holdings.said(server, message);
      run()?.alignment.holding(server, message);
    },
    opened: (server, { versions }) => run()?.alignment.opened(server, versions),
    stored: (server, { chunk }) => run()?.alignment.stored(server, chunk),
    applied: (server, { step, chunk }) => run()?.training.aggregation.applied(server, step, chunk),
    gathered: (server, message) => run()?.training.aggregation.gathered(server, message),
    advanced: (server, message) => run()?.training.aggregation.advanced(server, message),
    misfit: (_server, message) => run()?.training.aggregation.misfit(message),
    captured(_server, { version, chunk }, payload) {
      run()?.checkpoints.captured(version, chunk, payload);
      run()?.finalWeights.captured(version, chunk, payload);
      run()?.training.catchUp.captured(version, chunk, payload);
    },
    // It was given up, and ends.
    leave() {},
    refused(server, { error }) {
      const { message, ...rest } = error;
      throw errorFromRecord({ ...rest, message: `${message} (said by ${servers.nameOf(server)})` });
    },
  };

  const memberAnswers: Answers<Exclude<WorkerToCoordinator, Join>, Member> = {
    waiting: (member, { version }) => run()?.supervisor.waits(member, version),
    probe: (member, { digest }) => membership.probed(member, digest),
    verification: (member, message) => run()?.training.results.verified(member, message),
    initial: (member, { chunk }, payload) => run()?.alignment.initial(member, chunk, payload),
    report(member, { step, shards, wireBytes }) {
      observations.travelled(step, wireBytes);
      run()?.training.results.reported(member, step, shards);
    },
    contribution: (member, message, payload) =>
      run()?.training.aggregation.contributed(member, message, payload),
    evaluation: (member, { version, shards }) =>
      run()?.training.results.evaluated(member, version, shards),
    failed(member, { error }) {
      if (membership.spares(member)) return membership.giveUp(member, error);
      const { code, message, remedy, details, cause } = errorFromRecord(error);
      throw new TuttiError(code, message, {
        remedy,
        cause,
        details: { ...details, worker: member.worker },
      });
    },
    leave: ({ peer }) => membership.leave(peer, 'it left', true),
    refused: ({ worker }, { error }) => refused(`Worker ${worker}`, error),
  };

  function refused(who: string, error: Parameters<typeof errorFromRecord>[0]) {
    const why = errorFromRecord(error);
    emit(warningOf(why, `${who} refused a message: ${why.message}`));
  }

  return {
    fromServer(server, envelope) {
      const { message } = envelope;
      observations.server(server, message);
      // It does not end a run that goes on without it.
      if (servers.isGivenUp(server))
        return run()?.training.catchUp.receive(server, message as ServerToCoordinator & Stamp);
      if (message.protocol !== PROTOCOL_VERSION) throw refusal(message, identity.id());
      if (answer(serverAnswers, server, envelope)) return;
      const why = unexpected('coordinator', message.type, 'server');
      servers.send(server, { type: 'refused', error: errorToRecord(why) });
      emit(warningOf(why, `Refused a message of ${servers.nameOf(server)}: ${why.message}`));
    },
    fromWorker(peer, envelope) {
      const { message } = envelope;
      const misfit = refusal(message, identity.id());
      if (misfit !== undefined) return membership.refuse(peer, misfit);
      observations.worker(peer);
      if (message.type === 'join') return membership.join(peer, message);
      if (membership.ignores(peer)) return;
      const member = membership.authenticate(peer, message);
      // A refusal is not answered by another, or two would go on for ever.
      if (member === undefined && message.type === 'refused')
        return refused('A peer', message.error);
      if (member === undefined)
        return membership.refuse(
          peer,
          new TuttiError('REFUSED', `A ${message.type} came from a peer that has not joined`, {
            remedy: 'Join first; a worker of another run must be ended.',
          }),
        );
      if (message.type !== 'waiting') run()?.supervisor.heard(member);
      if (!answer(memberAnswers, member, envelope))
        membership.refuse(peer, unexpected('coordinator', message.type, 'worker'));
    },
  };
}
