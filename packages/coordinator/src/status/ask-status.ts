import {
  type Answers,
  answer,
  type ConnectFault,
  type CoordinatorToAsker,
  type HistoryPlace,
  type JobStatus,
  keyRefusal,
  PROTOCOL_VERSION,
  type StatusReport,
  type Transport,
  unexpected,
} from '@tutti/protocol';
import {
  abortError,
  type Clock,
  createMonitor,
  errorFromRecord,
  systemClock,
  TuttiError,
} from '@tutti/runtime';

export interface Asking {
  readonly address: string;
  /** Should give up to connect before `deadlineMs`: that nobody listens says more than no answer. */
  readonly transport: Transport;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long it may take to answer; default 5,000. */
  readonly deadlineMs?: number | undefined;
}

/**
 * Asks a coordinator how its job is doing, without joining it.
 * @throws TuttiError PEER_LOST if it cannot be reached, REFUSED if it is none or of another version,
 *   DEADLINE if it does not answer
 */
export async function askStatus(init: Asking): Promise<JobStatus> {
  // Unnamed wait: what it awaits names its own waits.
  const { status } = await askHistory(init);
  return status;
}

/** The same, and if a place is given the events that were told from there on. */
export async function askHistory(
  init: Asking & { readonly history?: HistoryPlace | undefined },
): Promise<Pick<StatusReport, 'status' | 'history'>> {
  const { address, transport, clock = systemClock, signal, deadlineMs = 5000, history } = init;
  const monitor = createMonitor({ clock });
  // Not the monitor's: whoever asks every second would leave a listener each time.
  const stop = () => monitor.fail(abortError(signal!));
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  let report: StatusReport | undefined;
  const answers: Answers<CoordinatorToAsker, undefined> = {
    // It has answered before, or is gone now.
    finish() {},
    refused: (_from, { error }) => monitor.fail(errorFromRecord(error)),
    'status-report'(_from, said) {
      report = said;
      monitor.notify();
    },
  };
  const connection = transport.connect(address, {
    message(envelope) {
      const { message } = envelope;
      if (message.protocol !== PROTOCOL_VERSION)
        monitor.fail(otherVersion(address, message.protocol));
      else if (!answer(answers, undefined, envelope))
        monitor.fail(unexpected('program that asks for the status', message.type, 'coordinator'));
    },
    closed: (reason, fault) =>
      monitor.fail(
        keyRefusal(`the coordinator at ${address}`, fault) ?? unreachable(address, reason, fault),
      ),
  });
  try {
    const stamp = { protocol: PROTOCOL_VERSION, job: '', session: '' };
    connection.send({ message: { type: 'status', ...stamp, ...(history && { history }) } });
    await monitor.until(() => report !== undefined, {
      who: `the coordinator at ${address}`,
      what: 'say how the job is doing',
      remedy:
        'Something listens there and does not answer: see whether its process hangs (SIGSTOP, swapping), or ask again with a longer --answer-deadline-ms.',
      deadlineMs,
    });
    return report!;
  } finally {
    signal?.removeEventListener('abort', stop);
    await connection.close(0);
  }
}

function unreachable(address: string, reason: string, fault?: ConnectFault): TuttiError {
  const first = fault === undefined || fault.kind === 'refused' ? [] : [fault.remedy];
  const always =
    'Give the address that `tutti train` or `tutti coordinator` printed; see whether the job still runs.';
  return new TuttiError('PEER_LOST', `No coordinator answers at ${address}: ${reason}`, {
    remedy: [...first, always].join(' '),
    details: { role: 'coordinator', address },
  });
}

function otherVersion(address: string, theirs: number): TuttiError {
  return new TuttiError(
    'REFUSED',
    `The coordinator at ${address} speaks protocol version ${theirs}, this program version ${PROTOCOL_VERSION}`,
    {
      remedy: 'Ask with the version of Tutti that the job runs with.',
      details: { address, theirs },
    },
  );
}
