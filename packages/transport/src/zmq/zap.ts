import { timingSafeEqual } from 'node:crypto';
import { Context, Reply } from 'zeromq';
import type { CurveKeys } from '../key/job-key.js';
import { z85 } from '../key/z85.js';

/** Where libzmq asks whether a client may connect (rfc.zeromq.org/spec/27); one place a context. */
const ADDRESS = 'inproc://zeromq.zap.01';

/**
 * The context of all sockets that listen with a key. It is not the one that others in this process
 * use, who may have a handler of their own. One for all, since zeromq.js frees a context only when the
 * process ends.
 */
let context: Context | undefined;
export const guardedContext = (): Context => {
  context ??= new Context();
  return context;
};

/** The client key that each domain lets in, and how many listeners rely on it. */
const domains = new Map<string, { readonly clientKey: string; listeners: number }>();
let handler: Reply | undefined;
/** So that one opens it, or closes it, at a time. */
let turn: Promise<void> = Promise.resolve();

function inTurn(task: () => Promise<void>): Promise<void> {
  const done = turn.then(task);
  // Whoever comes next tries for itself.
  turn = done.catch(() => {});
  return done;
}

/**
 * Has only the client key of these keys let in where a socket of `guardedContext` names their domain;
 * to be awaited before it listens.
 * @returns to be called when it has closed
 */
export async function guard(keys: CurveKeys): Promise<() => void> {
  const entry = domains.get(keys.domain) ?? { clientKey: keys.client.publicKey, listeners: 0 };
  entry.listeners++;
  domains.set(keys.domain, entry);
  const leave = () => {
    entry.listeners--;
    if (entry.listeners > 0) return;
    domains.delete(keys.domain);
    void inTurn(closeUnused);
  };
  try {
    await inTurn(open);
  } catch (error) {
    leave();
    throw error;
  }
  return leave;
}

async function open(): Promise<void> {
  if (handler !== undefined) return;
  const reply = new Reply({ context: guardedContext(), linger: 0 });
  await reply.bind(ADDRESS);
  handler = reply;
  void answer(reply);
}

/** An open one would keep the process from ending. */
async function closeUnused(): Promise<void> {
  if (domains.size > 0 || handler === undefined) return;
  const reply = handler;
  handler = undefined;
  // At once; by closing alone the address would be free only some time later.
  await reply.unbind(ADDRESS);
  reply.close();
}

async function answer(reply: Reply): Promise<void> {
  while (!reply.closed) {
    let request: Buffer[];
    try {
      request = await reply.receive();
    } catch (error) {
      if (reply.closed) return;
      throw error;
    }
    const [version, id, domain, , , mechanism, key] = request as [Buffer, Buffer, ...Buffer[]];
    const allowed = `${mechanism}` === 'CURVE' && isKeyOf(`${domain}`, key);
    const answer = allowed ? ['200', 'OK'] : ['400', 'not a key of this job'];
    await reply.send([version, id, ...answer, '', '']);
  }
}

function isKeyOf(domain: string, key: Buffer | undefined): boolean {
  const expected = domains.get(domain)?.clientKey;
  if (expected === undefined || key === undefined || key.length % 4 !== 0) return false;
  const [wanted, shown] = [Buffer.from(expected), Buffer.from(z85(key))];
  return wanted.length === shown.length && timingSafeEqual(wanted, shown);
}
