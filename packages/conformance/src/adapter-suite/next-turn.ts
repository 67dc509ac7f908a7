/** Beyond all microtasks: what has arrived meanwhile has been read. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
