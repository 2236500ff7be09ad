// Keeps clients in lists, each in one at a time, in the order in which they came: the clients of a server,
// those that it has yet to accept, those whose connection was dropped together. Joining, leaving and finding
// the next take the same time however many there are.

export type Lists = {
  /** @returns the number of a new list; numbers of closed lists are used again */
  open(): number;
  /** The list is empty and is not used any more. */
  close(list: number): void;
  size(list: number): number;
  /** The first of a list; -1 where there is none. */
  first(list: number): number;
  /** Behind all others of the list. The client is in none. */
  push(list: number, client: number): void;
  /** Out of the list that it is in. */
  remove(client: number): void;
  /** In their order. Meanwhile only the visited client may be taken out. */
  each(list: number, visit: (client: number) => void): void;
};

const none = -1;

export function createLists(clients: number): Lists {
  const next = new Int32Array(clients).fill(none);
  const before = new Int32Array(clients).fill(none);
  const listOf = new Int32Array(clients).fill(none);
  const first: number[] = [];
  const last: number[] = [];
  const sizes: number[] = [];
  const free: number[] = [];

  return {
    open() {
      const list = free.pop() ?? first.length;
      first[list] = last[list] = none;
      sizes[list] = 0;
      return list;
    },
    close: (list) => void free.push(list),
    size: (list) => sizes[list]!,
    first: (list) => first[list]!,
    push(list, client) {
      const end = last[list]!;
      listOf[client] = list;
      before[client] = end;
      next[client] = none;
      if (end === none) first[list] = client;
      else next[end] = client;
      last[list] = client;
      sizes[list]!++;
    },
    remove(client) {
      const list = listOf[client]!;
      const [left, right] = [before[client]!, next[client]!];
      if (left === none) first[list] = right;
      else next[left] = right;
      if (right === none) last[list] = left;
      else before[right] = left;
      listOf[client] = none;
      sizes[list]!--;
    },
    each(list, visit) {
      for (let client = first[list]!; client !== none;) {
        const following = next[client]!;
        visit(client);
        client = following;
      }
    },
  };
}
