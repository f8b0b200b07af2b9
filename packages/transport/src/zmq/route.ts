import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * The error code with which this machine says that it knows no way to a host, such as ENETUNREACH;
 * undefined if it knows one. Connecting a datagram socket looks the way up and sends nothing, so the
 * other side is not troubled.
 * @param host an IP address
 */
export function faultOfRoute(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const end = (error?: Error) => {
      socket.close();
      resolve((error as NodeJS.ErrnoException | undefined)?.code);
    };
    // Its type does not say that the callback is given the error.
    socket.connect(port, host, end as () => void);
  });
}
