// Keeps who this browser is in a cookie, which the next visit brings along.

const YEAR = 365 * 24 * 3600; // seconds

export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = data.value ? YEAR : 0;
  document.cookie = `${data.name}=${data.value}; path=/; max-age=${age}; SameSite=Lax${secure}`;
}
