/** An account has no wallet of a kind, or the venue does not offer it to this user or key. The message is for people. */
export class NotOffered extends Error {
  override readonly name = 'NotOffered';
}
