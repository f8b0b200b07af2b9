import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Hosts that share nothing but a switch: each a network namespace of its own, with its own /dev/shm,
 * so that payloads must cross the network. They need util-linux and iproute2, and no rights beyond
 * those of a user namespace. They are gone with the process that made them, however that ends.
 */
export interface Hosts {
  /** The address of a host. */
  addressOf(host: string): string;
  /** The command that runs what follows it on a host. */
  via(host: string): readonly string[];
  /** The process that keeps a host alive, for those who look for its namespaces. */
  pidOf(host: string): number;
  /** From now on nothing that `from` sends arrives at `to`; nobody is told. */
  cut(from: string, to: string): Promise<void>;
  heal(from: string, to: string): Promise<void>;
  /** Bounds what a host sends, and delays it if this kernel can; returns the discipline's name. */
  slow(host: string, limits: { mbit: number; delayMs: number }): Promise<'netem' | 'tbf'>;
  /** Bytes that a slowed host has sent since. */
  sentBy(host: string): Promise<number>;
  end(): Promise<void>;
}

/** A namespace and the process that holds it. */
interface Holder {
  readonly pid: number;
  end(): Promise<void>;
}

/** Nobody has this: what is sent to it is lost. */
const NOBODY = '02:00:00:00:ff:ff';

/**
 * Makes hosts of these names, which they know each other by.
 * @param init.root whether root there is root here: daemons that change users need it
 * @returns why not, where namespaces or bridges cannot be made
 */
export async function createHosts(
  names: readonly string[],
  { root = false }: { readonly root?: boolean } = {},
): Promise<Hosts | string> {
  const holders: Holder[] = [];
  const end = async () => {
    await Promise.all(holders.map((holder) => holder.end()));
  };
  try {
    const user = root ? [] : ['--user'];
    const mapped = root ? [] : ['--user', '--map-root-user'];
    const hub = await hold(['unshare', ...mapped, '--net'], SWITCH);
    holders.push(hub);
    const inside = ['nsenter', '--target', `${hub.pid}`, ...user, '--net', KEEP];
    const enter = ({ pid }: Holder) =>
      ['nsenter', '--target', `${pid}`, ...user, '--net', '--mount'].concat(
        `--wd=${process.cwd()}`,
        KEEP,
      );
    for (const at of names.keys()) {
      const host = await hold([...inside, 'unshare', '--net', '--mount'], hostOf(names));
      holders.push(host);
      const pair = `type veth peer name eth0 address ${hardware(at)} netns ${host.pid}`;
      await shell(
        inside,
        `ip link add port${at} ${pair} && ip link set port${at} master switch up`,
      );
      const neighbours = names
        .map(
          (_, to) => `ip neigh add ${internet(to)} lladdr ${hardware(to)} dev eth0 nud permanent`,
        )
        .filter((_, to) => to !== at);
      const address = `ip addr add ${internet(at)}/24 dev eth0 && ip link set eth0 up`;
      await shell(enter(host), [address, ...neighbours].join(' && '));
    }
    return createNetwork(names, holders.slice(1), enter, end);
  } catch (error) {
    await end();
    return `no network namespaces here: ${(error as Error).message.trim().replaceAll('\n', '; ')}`;
  }
}

const KEEP = '--preserve-credentials';
const SWITCH = 'ip link add switch type bridge && ip link set switch up';
const hostOf = (names: readonly string[]) => {
  const known = names.map((name, at) => `${internet(at)} ${name}\\n`).join('');
  return [
    'mount -t tmpfs tmpfs /dev/shm',
    'ip link set lo up',
    `printf '127.0.0.1 localhost\\n${known}' > /dev/shm/hosts`,
    'mount --bind /dev/shm/hosts /etc/hosts',
  ].join(' && ');
};

const internet = (at: number) => `10.9.0.${at + 1}`;
const hardware = (at: number) => `02:00:00:00:00:${(at + 1).toString(16).padStart(2, '0')}`;

function createNetwork(
  names: readonly string[],
  holders: readonly Holder[],
  enter: (host: Holder) => readonly string[],
  end: () => Promise<void>,
): Hosts {
  const on = (host: string) => enter(holders[names.indexOf(host)]!);
  const point = async (from: string, to: number, address: string) => {
    const where = `${internet(to)} lladdr ${address} dev eth0`;
    await shell(on(from), `ip neigh replace ${where} nud permanent`);
  };
  return {
    addressOf: (host) => internet(names.indexOf(host)),
    via: on,
    pidOf: (host) => holders[names.indexOf(host)]!.pid,
    // Not by taking a link down: that the sender's kernel would know.
    cut: (from, to) => point(from, names.indexOf(to), NOBODY),
    heal: (from, to) => point(from, names.indexOf(to), hardware(names.indexOf(to))),
    async slow(host, { mbit, delayMs }) {
      const add = (rest: string) => shell(on(host), `tc qdisc add dev eth0 root ${rest}`);
      try {
        await add(`netem delay ${delayMs}ms rate ${mbit}mbit`);
        return 'netem';
      } catch {
        await add(`tbf rate ${mbit}mbit burst 32k latency 400ms`);
        return 'tbf';
      }
    },
    async sentBy(host) {
      const [shaper] = JSON.parse(await shell(on(host), 'tc -s -j qdisc show dev eth0 root'));
      assert.match(shaper.kind, /^(?:netem|tbf)$/);
      return shaper.bytes;
    },
    end,
  };
}

async function shell(via: readonly string[], script: string): Promise<string> {
  const [file, ...args] = [...via, 'sh', '-c', script];
  return (await run(file!, args)).stdout;
}

/** Starts a process that ends when this one does (its stdin is a pipe) and keeps a namespace alive. */
async function hold(via: readonly string[], prepare: string): Promise<Holder> {
  const [file, ...args] = [...via, 'sh', '-c', `${prepare} && echo ready && exec cat`];
  const child = spawn(file!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (code, signal) => resolve(said || `${file} ended with ${code ?? signal}`));
  });
  const failed = ended.then((reason) => Promise.reject(new Error(reason)));
  failed.catch(() => {});
  await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed]);
  return {
    pid: child.pid!,
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
