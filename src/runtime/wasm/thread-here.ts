// The one thread of a page whose threads cannot share memory: the page's own, which computes between its other tasks.
import { findEngine } from './engine.ts';
import type { Listener, Thread, ToThread } from './messages.ts';
import { threadMain } from './thread.ts';

export const startHere = (listener: Listener): Thread => {
  const { port1, port2 } = new MessageChannel();
  const waiting: ToThread[] = [];
  let take: (message: ToThread) => void = () => {};
  threadMain(
    findEngine(),
    () => (performance.timeOrigin + performance.now()) * 1e6,
    (message) => listener.take(message),
    (given) => {
      take = given;
    },
  );
  // A task for each message, so that the page has its turn between runs.
  port1.addEventListener('message', () => {
    const message = waiting.shift();
    if (message) take(message);
  });
  port1.start();
  const hold = (held: boolean): void => {
    // A browser's has neither.
    if (held) port1.ref?.();
    else port1.unref?.();
  };
  hold(false);
  return {
    post: (message) => {
      waiting.push(message);
      port2.postMessage(null);
    },
    hold,
    end: () => {
      waiting.length = 0;
      port1.close();
    },
  };
};
