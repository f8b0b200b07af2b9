import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * The error code with which this machine says that it knows no way to a host, such as ENETUNREACH;
 * undefined if it knows one. Connecting a datagram socket looks the way up and sends nothing, so the
 * other side is not troubled.
 * @param host an IP address
 */
export async function faultOfRoute(host: string, port: number): Promise<string | undefined> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const code = await new Promise<string | undefined>((resolve) => {
    // There is none to be had, which says nothing of the way.
    socket.on('error', () => resolve(undefined));
    // Its type does not say that the callback is given the error.
    const connected = (error?: NodeJS.ErrnoException) => resolve(error?.code);
    socket.connect(port, host, connected as () => void);
  });
  socket.close();
  return code;
}
