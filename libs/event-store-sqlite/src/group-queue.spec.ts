import { GroupQueue } from './group-queue.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a group queue', () => {
  const gathered = (bounds = { itemsMax: 3, bytesMax: 100 }) => {
    const groups: (readonly string[])[] = [];
    return { groups, queue: new GroupQueue<string>(bounds, (group) => groups.push(group)) };
  };

  it('passes on as one group, in order, what comes in one turn of the event loop', async () => {
    const { groups, queue } = gathered();
    queue.add('a', 1);
    await Promise.resolve();
    queue.add('b', 1);
    expect(groups).toEqual([]);
    await nextTurn();
    queue.add('c', 1);
    await nextTurn();
    expect(groups).toEqual([['a', 'b'], ['c']]);
  });

  it('passes on a group at once that has as many items as it may', async () => {
    const { groups, queue } = gathered();
    for (const item of ['a', 'b', 'c', 'd']) queue.add(item, 1);
    expect(groups).toEqual([['a', 'b', 'c']]);
    await nextTurn();
    expect(groups).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('never passes on more bytes together than it may', async () => {
    const { groups, queue } = gathered();
    queue.add('a', 60);
    queue.add('b', 40);
    queue.add('c', 1);
    expect(groups).toEqual([['a', 'b']]);
    await nextTurn();
    expect(groups).toEqual([['a', 'b'], ['c']]);
  });

  it('passes on at once what is waiting when it is flushed, and nothing when nothing is', async () => {
    const { groups, queue } = gathered();
    queue.flush();
    queue.add('a', 1);
    queue.flush();
    expect(groups).toEqual([['a']]);
    await nextTurn();
    expect(groups).toEqual([['a']]);
  });

  it('takes what is handed over while a group is passed on into the next one', async () => {
    const groups: (readonly string[])[] = [];
    const queue = new GroupQueue<string>({ itemsMax: 3, bytesMax: 100 }, (group) => {
      groups.push(group);
      if (groups.length === 1) queue.add('b', 1);
    });
    queue.add('a', 1);
    queue.flush();
    expect(groups).toEqual([['a']]);
    await nextTurn();
    expect(groups).toEqual([['a'], ['b']]);
  });
});
