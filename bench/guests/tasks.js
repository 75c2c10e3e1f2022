// A small operating system that works through packets: objects, method calls, lists and integers, as Richards' benchmark
// has them. `qjs tasks.js COUNT` prints what the tasks have done in COUNT steps.
class Packet {
  constructor(kind, value) {
    this.next = null;
    this.kind = kind;
    this.value = value;
  }
}

class Queue {
  constructor() {
    this.first = null;
    this.last = null;
    this.length = 0;
  }

  put(packet) {
    packet.next = null;
    if (this.last === null) this.first = packet;
    else this.last.next = packet;
    this.last = packet;
    this.length++;
  }

  take() {
    const packet = this.first;
    this.first = packet.next;
    if (this.first === null) this.last = null;
    this.length--;
    return packet;
  }
}

class Task {
  constructor(number, priority) {
    this.number = number;
    this.priority = priority;
    this.queue = new Queue();
    this.done = 0;
  }

  ready() {
    return this.queue.length > 0;
  }
}

class Worker extends Task {
  run(system) {
    const packet = this.queue.take();
    packet.value = (Math.imul(packet.value, 1103515245) + 12345) & 0x7fffffff;
    this.done++;
    system.send(packet.value % system.tasks.length, packet);
  }
}

class Device extends Task {
  run(system) {
    const packet = this.queue.take();
    packet.kind = packet.kind === "read" ? "write" : "read";
    packet.value ^= this.number << 7;
    this.done += packet.kind === "read" ? 1 : 2;
    system.send((this.number + packet.value) % system.tasks.length, packet);
  }
}

class System {
  constructor() {
    this.tasks = [];
    for (let number = 0; number < 6; number++) {
      this.tasks.push(number % 2 ? new Device(number, number) : new Worker(number, 10 - number));
    }
    for (let number = 0; number < 12; number++) this.send(number % 6, new Packet("read", number * 7919));
  }

  send(number, packet) {
    this.tasks[number].queue.put(packet);
  }

  next() {
    let best = null;
    for (const task of this.tasks) {
      if (task.ready() && (best === null || task.queue.length * 4 + task.priority > best.queue.length * 4 + best.priority)) {
        best = task;
      }
    }
    return best;
  }
}

const steps = Number(scriptArgs[scriptArgs.length - 1]);
const system = new System();
for (let step = 0; step < steps; step++) system.next().run(system);
console.log(system.tasks.map((task) => task.done).join(" "));
