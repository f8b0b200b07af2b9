import type { HostFacts, JobPlan, Join, Message } from '@tutti/protocol';
import type { TuttiError } from '@tutti/runtime';
import { type Admission, type Agreement, decideAdmission } from './admission.js';

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
  /**
   * @param session the one that the same process had before, or ''
   * @param waited whether it has waited for its name as long as anybody does
   */
  decide(peer: string, join: Join, session: string, waited: boolean, plan?: JobPlan): Admission;
  /**
   * Takes in one that may join.
   * @param session the one that the same process had before, or '': its old connection may not be
   *   known to be gone
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
  let first: Agreement['first'];
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
    decide: (peer, join, before, waited, plan) =>
      decideAdmission(
        {
          join,
          joined: byPeer.has(peer),
          ban: banned.get(originOf(before)),
          namesake: hasNamesake(join.worker, before),
          waited,
        },
        { plan, first },
      ),
    admit(peer, { worker, description, host }, before) {
      for (const old of all()) if (isSame(before, old.session)) byPeer.delete(old.peer);
      first ??= { worker: worker || 'the first worker', description };
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
