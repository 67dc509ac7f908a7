import { build } from '../../tsup.base.ts'

export default build({
  index: 'src/index.ts',
  peer: 'src/peer.ts',
  pages: 'src/pages.ts',
  action: 'src/action.ts',
})
