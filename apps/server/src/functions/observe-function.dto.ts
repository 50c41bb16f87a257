import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Matches, Max, Min } from 'class-validator';
import { IsNested } from '../http/validation.js';

/** Release and flavour are identifiers, not prose. */
const identifier = /^[\x21-\x7e]+$/;

export class ConfigSpaceDto {
  @IsIn(['lspci', 'hex', 'base64'])
  encoding!: 'lspci' | 'hex' | 'base64';

  @IsString()
  data!: string;
}

export class KernelDto {
  @IsString() @Length(1, 128) @Matches(identifier)
  release!: string;

  @IsString() @Length(1, 64) @Matches(identifier)
  flavour!: string;
}

export class IommuDto {
  @IsInt() @Min(0) @Max(20)
  maxPasidLog2!: number;

  @IsBoolean()
  exec!: boolean;

  @IsBoolean()
  priv!: boolean;

  @IsBoolean()
  atsSupported!: boolean;
}

export class SriovDto {
  @IsIn(['pf', 'vf', 'none'])
  role!: 'pf' | 'vf' | 'none';

  @IsOptional() @IsString() @Length(7, 20)
  pf?: string | null;
}

export class ObserveFunctionDto {
  @IsString()
  host!: string;

  @IsString()
  address!: string;

  @IsNested(() => ConfigSpaceDto)
  configSpace!: ConfigSpaceDto;

  @IsNested(() => KernelDto)
  kernel!: KernelDto;

  /** As the host names it; left out where nobody knows. */
  @IsOptional() @IsString() @Length(1, 128) @Matches(/^\P{C}+$/u, { message: 'firmware must be printable text' })
  firmware?: string | null;

  @IsNested(() => IommuDto)
  iommu!: IommuDto;

  @IsNested(() => SriovDto)
  sriov!: SriovDto;
}

export class RetireFunctionDto {
  @IsOptional() @IsString() @Length(1, 200) @Matches(/^\P{C}+$/u, { message: 'reason must be printable text' })
  reason?: string | null;
}
