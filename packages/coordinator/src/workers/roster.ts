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
  readonly ready: boolean;
  readonly shards: readonly number[];
}

/** Who takes part, in the order in which they joined. */
export interface Roster {
  size(): number;
  names(): readonly string[];
  /** Those that may be given shards: the same array until one of them comes, goes or is given others. */
  ready(): readonly Member[];
  /** It has shown its arithmetic. */
  trust(member: Member): void;
  give(member: Member, shards: readonly number[]): void;
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

/** A member, to the roster alone. */
type Entry = { -readonly [Field in keyof Member]: Member[Field] };

export function createRoster(newId: () => string): Roster {
  const byPeer = new Map<string, Entry>();
  /** By session, the first session of the same process. */
  const origins = new Map<string, string>();
  const banned = new Map<string, TuttiError>();
  let first: Agreement['first'];
  let joined = 0;
  /** A worker that lost its connection comes back with its name: nobody else is given it. */
  const used = new Set<string>();
  /** Asked for at every message of anybody: known until something changes. */
  let ready: readonly Member[] | undefined;
  let owners: ReadonlyMap<number, Member> | undefined;
  const all = () => [...byPeer.values()];
  const originOf = (session: string) => origins.get(session) ?? session;
  const isSame = (a: string, b: string) => a !== '' && originOf(a) === originOf(b);

  function hasNamesake(name: string, session: string): boolean {
    const namesakes = all().filter(({ worker }) => name !== '' && worker === name);
    return namesakes.some((member) => !isSame(session, member.session));
  }

  function changed() {
    ready = undefined;
    owners = undefined;
  }

  function drop(member: Member | undefined) {
    if (member === undefined) return;
    byPeer.delete(member.peer);
    if (member.ready) changed();
  }

  return {
    size: () => byPeer.size,
    names: () => all().map(({ worker }) => worker),
    ready() {
      ready ??= all().filter((member) => member.ready);
      return ready;
    },
    trust({ peer }) {
      const member = byPeer.get(peer);
      if (member === undefined || member.ready) return;
      member.ready = true;
      changed();
    },
    give({ peer }, shards) {
      const member = byPeer.get(peer);
      if (member === undefined) return;
      member.shards = shards;
      changed();
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
      for (const old of all()) if (isSame(before, old.session)) drop(old);
      first ??= { worker: worker || 'the first worker', description };
      while (worker === '' && used.has(`w${joined}`)) joined++;
      const session = newId();
      if (before !== '') origins.set(session, originOf(before));
      const member: Entry = {
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
      drop(member);
      return member;
    },
    ban: ({ session }, why) => void banned.set(originOf(session), why),
    owner(shard) {
      owners ??= new Map(all().flatMap((member) => member.shards.map((each) => [each, member])));
      return owners.get(shard);
    },
    [Symbol.iterator]: () => byPeer.values(),
  };
}
