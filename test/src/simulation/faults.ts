import { type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import type { Fault, FaultKind } from './scenario.js';
import type { Process, World } from './world.js';

/** Does one fault; false if there is nothing left that it could strike. */
export type Injection = (world: World, fault: Fault) => boolean;

const pick = (processes: readonly Process[], { who }: Fault): Process | undefined =>
  processes[who % Math.max(1, processes.length)];

const onWorker =
  (strike: (world: World, worker: Process, fault: Fault) => void): Injection =>
  (world, fault) => {
    const worker = pick(world.living('worker'), fault);
    if (worker === undefined) return false;
    strike(world, worker, fault);
    return true;
  };

/** Two hosts that talk to each other. */
function ends(world: World, fault: Fault): [string, string] {
  const worker = pick(world.living('worker'), fault)?.host ?? 'coordinator';
  const server = world.serverHosts[fault.choice % world.serverHosts.length]!;
  // Nothing is between two of the same host.
  const alike = worker === server;
  if ((alike || fault.choice % 3 === 0) && worker !== 'coordinator') return [worker, 'coordinator'];
  return [fault.choice % 3 === 1 ? worker : 'coordinator', server];
}

function partition(world: World, fault: Fault, ms: number) {
  const [a, b] = ends(world, fault);
  world.network.cut(a, b, fault.choice % 2 === 0 ? 'both' : 'forth');
  world.clock.after(ms, () => world.network.heal(a, b));
  return [a, b];
}

/** A peer that says something to `address` and hears the answers. */
function stranger(
  world: World,
  address: string,
  messages: readonly Message[],
  payload?: Uint8Array,
  answer?: (message: Message, say: (message: Message, payload: Uint8Array) => void) => void,
) {
  const connection = world.network.transport('stranger').connect(address, {
    message: (envelope) =>
      answer?.(envelope.message, (message, bytes) => {
        connection.send({ message, payload: bytes });
        void connection.close(50);
      }),
  });
  for (const message of messages)
    connection.send(payload === undefined ? { message } : { message, payload });
}

/** The servers were told the end of the job: what is lost now is not missed. */
const isFinished = (world: World) => world.living('coordinator')[0]?.endedAt !== undefined;

/** So many longest delays after its start a coordinator has mostly heard its servers, and gathers workers. */
const GATHERING_MESSAGES = 12;

const ROLES = ['worker', 'server', 'coordinator'] as const;

const stamp = { protocol: PROTOCOL_VERSION, job: '', session: '' };

export const INJECTIONS: Partial<Record<FaultKind, Injection>> = {
  'slow link': (world, fault) => {
    world.slowDown(...ends(world, fault), 10 + fault.ms / 10);
    return true;
  },
  'worker crash': onWorker((world, worker) => world.kill(worker)),
  'worker crash and restart': onWorker((world, worker, { ms }) => {
    world.kill(worker);
    world.clock.after(ms, () => world.startWorker());
  }),
  'late joiner': (world) => {
    world.startWorker().excused = true;
    return true;
  },
  'partition that heals': (world, fault) => {
    partition(world, fault, fault.ms);
    return true;
  },
  'partition that lasts': (world, fault) => {
    const struck = partition(world, fault, 3001 + fault.ms);
    for (const each of world.processes) if (struck.includes(each.host)) each.excused = true;
    return true;
  },
  'slow worker': onWorker((_, worker, { ms }) => {
    worker.slowMs = 1 + ms / 10;
  }),
  'hung worker': onWorker((world, worker, { ms, choice }) => {
    worker.hung = true;
    worker.excused = true;
    // The server of one that is not taken back ends with it, so another must come.
    if (world.scenario.colocated)
      world.clock.after(10 * ms, () => world.outcome() ?? world.startWorker());
    // In a loop it takes all of its process with it; one that has left computes nothing any more.
    if (choice % 4 > 1 && !worker.leaving) world.freeze(worker.host);
    if (choice % 2 === 0) return;
    world.clock.after(10 * ms, () => {
      worker.hung = false;
      world.thaw(worker.host);
      for (const go of worker.resumed.splice(0)) go();
    });
  }),
  'lying worker': onWorker((_, worker) => {
    worker.lies = true;
    worker.excused = true;
  }),
  'worker leaves': onWorker((_, worker) => worker.leave()),
  'all workers crash': (world, { ms, choice }) => {
    const workers = world.living('worker');
    for (const worker of workers) world.kill(worker);
    const back = Math.max(world.scenario.workers, workers.length);
    world.clock.after((1 + (choice % 4)) * ms, () => {
      for (let at = 0; at < back; at++) world.startWorker();
    });
    return true;
  },
  'connection reset': (world, fault) => {
    world.network.reset(...ends(world, fault));
    return true;
  },
  'isolated host': (world, fault) => {
    const hosts = [...new Set(world.living(ROLES[fault.choice % 3]!).map(({ host }) => host))];
    const host = hosts[fault.who % Math.max(1, hosts.length)];
    if (host === undefined) return false;
    const others = new Set(
      world.processes.map((each) => each.host).filter((each) => each !== host),
    );
    for (const other of others) world.network.cut(host, other);
    for (const each of world.processes)
      if (host === 'coordinator' || each.host === host) each.excused = true;
    world.clock.after(2 * fault.ms, () => {
      for (const other of others) world.network.heal(host, other);
    });
    return true;
  },
  'corrupt frame': (world, fault) => {
    const worker = pick(world.living('worker'), fault);
    const own = fault.choice % 2 === 0 ? worker?.connections[0] : undefined;
    if (own !== undefined) worker!.excused = true;
    const connection =
      own ?? world.network.transport('stranger').connect('coordinator:1', { message() {} });
    const bytes = Uint8Array.from({ length: fault.who % 50 }, () => world.random.below(256));
    world.network.sendRaw(connection, [bytes]);
    return true;
  },
  stranger: (world, { choice }) => {
    // The next coordinator would take it for the first of its workers, where no server knows the job any more.
    if (isFinished(world)) return false;
    const join = world.last.get('join');
    if (join?.type !== 'join') return false;
    const other = { ...join, ...stamp, description: { ...join.description, hash: 'f00d' } };
    stranger(world, 'coordinator:1', [choice % 2 === 0 ? other : { ...other, protocol: 99 }]);
    return true;
  },
  'stale job': (world, { choice }) => {
    const { features, chunkFloats = features + 1 } = world.scenario.program;
    const bytes = new Uint8Array(4 * chunkFloats).fill(1);
    const last = world.last.get('applied') ?? world.last.get('advanced');
    const step = last?.type === 'applied' || last?.type === 'advanced' ? last.step + 1 : 0;
    const apply = { type: 'apply', step, chunk: 0, count: 1, scale: 1 } as const;
    const node = { type: 'contribution', step: 0, lo: 0, hi: 1, chunk: 0, attempt: '' } as const;
    const [address, body] =
      choice % 2 ? [`${world.serverHosts[0]!}:1`, apply] : ['coordinator:1', node];
    // Nothing but the job is wrong: a server looks at the session, too, and would refuse another.
    const session = world.last.get(body.type)?.session ?? '';
    stranger(world, address, [{ ...body, ...stamp, session, job: 'of yesterday' }], bytes);
    return true;
  },
  'stale session': (world) => {
    const [join, report] = [world.last.get('join'), world.last.get('report')];
    if (join?.type !== 'join' || report?.type !== 'report') return false;
    const { shards } = world.scenario.program;
    stranger(world, 'coordinator:1', [{ ...join, ...stamp, worker: '' }], undefined, (m, say) => {
      if (m.type !== 'welcome') return;
      const floats = m.plan.parameters.reduce(
        (n, { shape }) => n + shape.reduce((a, b) => a * b, 1),
        0,
      );
      const bytes = new Uint8Array(new Float32Array(Math.min(floats, 65_536)).fill(0.5).buffer);
      // Nobody has reported yet where all was started again meanwhile.
      const now = world.last.get('report') ?? report;
      const step = Math.max(report.step, (now as typeof report).step);
      const node = {
        type: 'contribution',
        step,
        lo: 0,
        hi: shards,
        chunk: 0,
        attempt: '',
      } as const;
      const said = { ...node, ...stamp, job: m.job, session: 'stale' };
      say(said, bytes);
      if (world.scenario.aggregation === 'coordinator') return;
      // It has even learned which attempt this is.
      const last = world.last.get('contribution');
      const attempt = last?.type === 'contribution' ? last.attempt : '';
      const own = bytes.subarray(0, 4 * (m.plan.chunkFloats ?? floats));
      // One of these steps is under way when it arrives.
      const all = [0, 1, 2, 3].map((more) => ({ ...said, attempt, step: step + more }));
      stranger(world, m.servers[0]!.address, all, own);
    });
    return true;
  },
  'foreign order': (world, fault) => {
    const welcome = world.last.get('welcome');
    if (welcome === undefined || isFinished(world)) return false;
    const { features, chunkFloats = features + 1 } = world.scenario.program;
    const bytes = new Uint8Array(new Float32Array(chunkFloats).fill(0.5).buffer);
    const applied = world.last.get('applied') ?? world.last.get('advanced');
    const step = applied?.type === 'applied' || applied?.type === 'advanced' ? applied.step + 1 : 0;
    const any = world.serverHosts[fault.who % world.serverHosts.length]!;
    // Nothing but the session is wrong.
    const said = { ...stamp, job: welcome.job, session: 'of another' };
    const sums = { type: 'apply', step, chunk: 0, count: 1, scale: 1, ...said } as const;
    const values = { type: 'store', chunk: 0, ...said } as const;
    if (fault.choice % 3 === 2) stranger(world, `${any}:1`, [{ type: 'finish', ...said }]);
    // That one holds the first chunk.
    else
      stranger(
        world,
        `${world.serverHosts[0]!}:1`,
        [fault.choice % 3 === 1 ? values : sums],
        bytes,
      );
    return true;
  },
  stop: (world, { ms, choice }) => {
    const coordinator = world.living('coordinator')[0];
    if (isFinished(world)) return false;
    const onMs = choice % 4 === 0 ? undefined : ms;
    if (coordinator !== undefined) world.interrupt(coordinator, onMs);
    else world.interruptNext((choice / 1000) * GATHERING_MESSAGES * world.scenario.delayMs, onMs);
    return true;
  },
  'duplicate worker': (world, fault) => {
    world.startWorker(`w${fault.who % world.scenario.workers}`).excused = true;
    return true;
  },
  'repeated messages': onWorker((world, worker, { choice }) => {
    for (const each of choice % 2 === 0 ? [worker] : world.living('worker')) each.repeats = true;
  }),
  'clock jump': (world, fault) => {
    const hosts = ['coordinator', 'server-0', ...world.living('worker').map(({ host }) => host)];
    world.jump(hosts[fault.who % hosts.length]!, 1000 + 10 * fault.ms);
    return true;
  },
  'disk error': (world, { choice }) => {
    world.disk.fault = (['full', 'slow', 'unreadable'] as const)[choice % 3]!;
    return true;
  },
  'coordinator crash and restart': (world, { ms, choice }) => {
    const coordinator = world.living('coordinator')[0];
    // One that has ended the job has nothing to come back to.
    if (coordinator === undefined || isFinished(world)) return false;
    world.kill(coordinator);
    world.clock.after(ms, () =>
      world.startCoordinator(choice % 2 === 0 ? world.disk.latest() : undefined),
    );
    return true;
  },
  'server crash and restart': (world, fault) => {
    const server = pick(world.living('server'), fault);
    if (server === undefined || isFinished(world)) return false;
    world.kill(server);
    world.clock.after(fault.ms, () => {
      if (world.scenario.colocated) world.startWorker();
      else world.startServer(server.host);
    });
    return true;
  },
};
