export const v4 = () => "an id";
