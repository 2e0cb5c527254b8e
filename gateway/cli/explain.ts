export async function explain(_address: string, _options: object): Promise<void> {}
