import type { HostFacts, Join, Message, ProgramDescription } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';

/** A worker that has joined. */
export interface Member {
  readonly worker: string;
  readonly peer: string;
  /** On every message from it; others that claim to be it do not know it. */
  readonly session: string;
  /** The same for all sessions of one process; a name can pass to another process. */
  readonly process: string;
  readonly host: HostFacts;
  /** It has shown its arithmetic, and may be given shards. */
  ready: boolean;
  shards: readonly number[];
}

/** Who takes part, in the order in which they joined. */
export interface Roster {
  size(): number;
  names(): readonly string[];
  /** Those that may be given shards. */
  ready(): readonly Member[];
  /** Whether another process than the one of this session has the name. */
  hasNamesake(worker: string, session: string): boolean;
  /**
   * @param session the one that the same process had before, or '': its old connection may not be
   *   known to be gone
   * @throws TuttiError REFUSED if the program differs, the name is taken or the process was banned
   */
  admit(peer: string, join: Join, session: string): Member;
  /** The member that a message really comes from. */
  authenticate(peer: string, message: Message): Member | undefined;
  remove(peer: string): Member | undefined;
  /** Its process is not admitted again, and told why; another of the same name is. */
  ban(member: Member, why: TuttiError): void;
  /** The member that computes a shard. */
  owner(shard: number): Member | undefined;
  [Symbol.iterator](): Iterator<Member>;
}

export function createRoster(newId: () => string): Roster {
  const byPeer = new Map<string, Member>();
  /** By session, the first session of the same process. */
  const origins = new Map<string, string>();
  const banned = new Map<string, TuttiError>();
  let described: { worker: string; description: ProgramDescription } | undefined;
  let joined = 0;
  /** A worker that lost its connection comes back with its name: nobody else is given it. */
  const used = new Set<string>();
  const all = () => [...byPeer.values()];
  const originOf = (session: string) => origins.get(session) ?? session;
  const isSame = (a: string, b: string) => a !== '' && originOf(a) === originOf(b);

  function hasNamesake(name: string, session: string): boolean {
    const others = all().filter((member) => !isSame(session, member.session));
    return name !== '' && others.some(({ worker }) => worker === name);
  }

  return {
    size: () => byPeer.size,
    names: () => all().map(({ worker }) => worker),
    ready() {
      const ready: Member[] = [];
      for (const member of byPeer.values()) if (member.ready) ready.push(member);
      return ready;
    },
    hasNamesake,
    admit(peer, { worker, description, host }, before) {
      if (byPeer.has(peer)) throw refused(`Worker ${worker} has joined already`, 'Join once.');
      const ban = banned.get(originOf(before));
      if (ban !== undefined) throw ban;
      for (const old of all()) if (isSame(before, old.session)) byPeer.delete(old.peer);
      if (hasNamesake(worker, before))
        throw refused(
          `A worker called ${worker} is already here`,
          'Give each worker another --name, or none.',
        );
      described ??= { worker: worker || 'the first worker', description };
      const difference = differenceOf(described.description, description);
      if (difference !== undefined)
        throw refused(
          `The program of this worker differs from that of ${described.worker}: ${difference}`,
          'Give every worker the same program file and the same data.',
        );
      while (worker === '' && used.has(`w${joined}`)) joined++;
      const session = newId();
      if (before !== '') origins.set(session, originOf(before));
      const member: Member = {
        worker: worker || `w${joined++}`,
        peer,
        session,
        process: originOf(session),
        host,
        ready: false,
        shards: [],
      };
      used.add(member.worker);
      byPeer.set(peer, member);
      return member;
    },
    authenticate(peer, message) {
      const member = byPeer.get(peer);
      return member !== undefined && member.session === message.session ? member : undefined;
    },
    remove(peer) {
      const member = byPeer.get(peer);
      byPeer.delete(peer);
      return member;
    },
    ban: ({ session }, why) => void banned.set(originOf(session), why),
    owner: (shard) => all().find(({ shards }) => shards.includes(shard)),
    [Symbol.iterator]: () => byPeer.values(),
  };
}

function differenceOf(ours: ProgramDescription, theirs: ProgramDescription): string | undefined {
  if (ours.hash !== theirs.hash)
    return `its sources have hash ${theirs.hash.slice(0, 12)}, not ${ours.hash.slice(0, 12)}`;
  for (const key of Object.keys({ ...ours, ...theirs }) as (keyof ProgramDescription)[]) {
    // Compared with the plan, which may be older than anybody here.
    if (key === 'data') continue;
    const [expected, found] = [JSON.stringify(ours[key]), JSON.stringify(theirs[key])];
    if (expected !== found)
      return `${key} is ${found?.slice(0, 200)}, not ${expected?.slice(0, 200)}`;
  }
  return undefined;
}

function refused(message: string, remedy: string): TuttiError {
  return new TuttiError('REFUSED', message, { remedy });
}
